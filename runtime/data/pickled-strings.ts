/**
 * A pickled list of str, read without executing anything: of the pickle machine's instructions only those that build
 * lists and texts are known, and the one sequence that NumPy writes around the list of an array of objects. Every other
 * instruction is refused.
 */
import { type StringTable, StringTableBuilder } from './string-table.ts';

const MARK = Symbol('mark');
/** a name that the file mentions; it is never looked up */
class Inert {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

type Item = string | number | boolean | null | Item[] | Inert | typeof MARK;

/** what NumPy's arrays of objects mention */
const NUMPY = /^(numpy(\._?core)?\.multiarray _reconstruct|numpy (ndarray|dtype))$/;

/** Throws an Error that names the file and the instruction that is refused. */
export function pickledStrings(bytes: Buffer, file: string): StringTable {
  const list = listOf(run(bytes, file));
  if (!list) throw new Error(`${file} is pickled, and not a list of str: save the paths as .npy of str, .json or .txt`);
  const table = new StringTableBuilder();
  list.forEach((item, i) => {
    if (typeof item !== 'string') throw new Error(`${file}: entry ${i} is not a str`);
    table.add(item);
  });
  return table.finish();
}

/** The list itself, or the one in the state of an array: (version, shape, dtype, order, list). */
function listOf(item: Item | undefined): Item[] | undefined {
  if (!Array.isArray(item)) return undefined;
  const state = item.length === 5 ? item[4] : undefined;
  return Array.isArray(state) && item[2] instanceof Inert ? state : item;
}

function run(bytes: Buffer, file: string): Item | undefined {
  const stack: Item[] = [];
  const memo = new Map<number, Item>();
  let at = 0;
  const need = (count: number) => {
    if (at + count > bytes.length) throw new Error(`${file} ends within its pickle`);
    at += count;
    return at - count;
  };
  const line = () => {
    const end = bytes.indexOf(10, at);
    if (end < 0) throw new Error(`${file} ends within its pickle`);
    const text = bytes.toString('latin1', at, end);
    at = end + 1;
    return text;
  };
  const text = (length: number) => {
    const from = need(length);
    return bytes.toString('utf8', from, from + length);
  };
  const long = () => {
    const length = Number(bytes.readBigUInt64LE(need(8)));
    if (length > bytes.length) throw new Error(`${file} ends within its pickle`);
    return length;
  };
  const pop = (): Item => {
    const item = stack.pop();
    if (item === undefined) throw new Error(`${file} is not a valid pickle`);
    return item;
  };
  const sinceMark = () => {
    const mark = stack.lastIndexOf(MARK);
    if (mark < 0) throw new Error(`${file} is not a valid pickle`);
    const items = stack.splice(mark + 1);
    stack.pop();
    return items;
  };
  const append = (items: Item[]) => {
    const list = stack.at(-1);
    if (!Array.isArray(list)) throw new Error(`${file} is not a valid pickle`);
    for (const item of items) list.push(item);
  };
  const recall = (key: number) => {
    const item = memo.get(key);
    if (item === undefined) throw new Error(`${file} is not a valid pickle`);
    stack.push(item);
  };
  const mention = (module: string, name: string) => {
    const full = `${module} ${name}`;
    if (!NUMPY.test(full)) {
      throw new Error(
        `${file} asks for Python's ${module}.${name}, and nothing in a file is executed: save the paths as .npy of str, .json or .txt`,
      );
    }
    stack.push(new Inert(full));
  };
  /** a call or a state: what it is made of is kept, nothing is called */
  const keep = (target: Item, state: Item) => {
    if (!(target instanceof Inert) && !Array.isArray(target)) throw new Error(`${file} is not a valid pickle`);
    stack.push(target instanceof Inert && target.name.endsWith('dtype') ? target : state);
  };

  for (;;) {
    const code = String.fromCharCode(bytes[need(1)]);
    switch (code) {
      case '\x80':
        need(1);
        break;
      case '\x95':
        need(8);
        break;
      case '.':
        return stack.at(-1);
      case '(':
        stack.push(MARK);
        break;
      case ']':
      case ')':
        stack.push([]);
        break;
      case 'l':
      case 't':
        stack.push(sinceMark());
        break;
      case '\x85':
        stack.push([pop()]);
        break;
      case '\x86': {
        const second = pop();
        stack.push([pop(), second]);
        break;
      }
      case '\x87': {
        const third = pop();
        const second = pop();
        stack.push([pop(), second, third]);
        break;
      }
      case 'a':
        append([pop()]);
        break;
      case 'e':
        append(sinceMark());
        break;
      case 'X':
      case 'B':
        stack.push(text(bytes.readUInt32LE(need(4))));
        break;
      case '\x8c':
      case 'C':
        stack.push(text(bytes[need(1)]));
        break;
      case '\x8d':
      case '\x8e':
        stack.push(text(long()));
        break;
      case 'T':
        stack.push(text(bytes.readUInt32LE(need(4))));
        break;
      case 'U':
        stack.push(text(bytes[need(1)]));
        break;
      case 'V':
        stack.push(unescaped(line()));
        break;
      case 'S':
        stack.push(quoted(line(), file));
        break;
      case 'K':
        stack.push(bytes[need(1)]);
        break;
      case 'M':
        stack.push(bytes.readUInt16LE(need(2)));
        break;
      case 'J':
        stack.push(bytes.readInt32LE(need(4)));
        break;
      case 'I':
        stack.push(Number(line()));
        break;
      case 'N':
        stack.push(null);
        break;
      case '\x88':
      case '\x89':
        stack.push(code === '\x88');
        break;
      case '\x94':
        memo.set(memo.size, stack.at(-1)!);
        break;
      case 'q':
        memo.set(bytes[need(1)], stack.at(-1)!);
        break;
      case 'r':
        memo.set(bytes.readUInt32LE(need(4)), stack.at(-1)!);
        break;
      case 'p':
        memo.set(Number(line()), stack.at(-1)!);
        break;
      case 'h':
        recall(bytes[need(1)]);
        break;
      case 'j':
        recall(bytes.readUInt32LE(need(4)));
        break;
      case 'g':
        recall(Number(line()));
        break;
      case 'c': {
        const module = line();
        mention(module, line());
        break;
      }
      case '\x93': {
        const name = String(pop());
        mention(String(pop()), name);
        break;
      }
      case 'R':
      case 'b': {
        const state = pop();
        keep(pop(), state);
        break;
      }
      default:
        throw new Error(
          `${file} is pickled and more than a list of str (instruction ${JSON.stringify(code)}): save the paths as .npy of str, .json or .txt`,
        );
    }
  }
}

/** Protocol 0: Latin-1, and \uXXXX or \UXXXXXXXX for the rest. */
function unescaped(text: string): string {
  return text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short, long) =>
    String.fromCodePoint(Number.parseInt(short ?? long, 16)),
  );
}

/** A quoted text of Python 2 without escapes. */
function quoted(text: string, file: string): string {
  const match = /^(['"])([^\\]*)\1$/.exec(text);
  if (!match) throw new Error(`${file}: the text ${text} has escapes; save the paths as .npy of str, .json or .txt`);
  return match[2];
}
