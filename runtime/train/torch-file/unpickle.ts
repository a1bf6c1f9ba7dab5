/**
 * The pickle machine, protocols 0 to 5, that builds data and never calls anything: a class or function is a name, an
 * object of an unknown class is a record of what it would be made of.
 */
import { integer, PickleBytes } from './pickle-bytes.ts';
import { PyDict, PyGlobal, PyObject, PySet, PyTuple, type PyValue } from './values.ts';

export interface Meaning {
  /** A known call, as data; undefined when it is not known. */
  call(name: string, args: readonly PyValue[]): PyValue | undefined;
  /** An object that is stored outside of the pickle. */
  persistent(id: PyValue): PyValue;
}

export interface Unpickled {
  readonly value: PyValue;
  /** the byte after the pickle */
  readonly end: number;
}

class Mark {}
type Item = PyValue | Mark;

/** @throws TorchFileError when it is not a pickle; TruncatedPickle when the bytes end before it does */
export function unpickle(bytes: Buffer, file: string, meaning: Meaning, start = 0): Unpickled {
  return new Machine(new PickleBytes(bytes, file, start), meaning).run();
}

class Machine {
  readonly #in: PickleBytes;
  readonly #meaning: Meaning;
  readonly #stack: Item[] = [];
  readonly #memo = new Map<number, PyValue>();

  constructor(bytes: PickleBytes, meaning: Meaning) {
    this.#in = bytes;
    this.#meaning = meaning;
  }

  run(): Unpickled {
    for (;;) {
      const code = this.#in.byte();
      if (code === 0x2e) return { value: this.#pop(), end: this.#in.at };
      const known = this.#number(code) || this.#text(code) || this.#collect(code) || this.#object(code);
      if (!known && !this.#keep(code)) throw this.#in.fail(`the instruction 0x${code.toString(16)} is not known`);
    }
  }

  #push(value: PyValue): true {
    this.#stack.push(value);
    return true;
  }

  #pop(): PyValue {
    const item = this.#stack.pop();
    if (item === undefined || item instanceof Mark) throw this.#in.fail('a value is missing');
    return item;
  }

  #top(): PyValue {
    const item = this.#stack.at(-1);
    if (item === undefined || item instanceof Mark) throw this.#in.fail('a value is missing');
    return item;
  }

  #sinceMark(): PyValue[] {
    const at = this.#stack.findLastIndex((item) => item instanceof Mark);
    if (at < 0) throw this.#in.fail('a mark is missing');
    const items = this.#stack.splice(at + 1) as PyValue[];
    this.#stack.pop();
    return items;
  }

  #number(code: number): boolean {
    const bytes = this.#in;
    switch (code) {
      case 0x4e: // N
        return this.#push(null);
      case 0x88:
        return this.#push(true);
      case 0x89:
        return this.#push(false);
      case 0x4a: // J
        return this.#push(bytes.i32());
      case 0x4b: // K
        return this.#push(bytes.byte());
      case 0x4d: // M
        return this.#push(bytes.u16());
      case 0x8a:
        return this.#push(bytes.long(bytes.byte()));
      case 0x8b:
        return this.#push(bytes.long(bytes.i32()));
      case 0x47: // G
        return this.#push(bytes.double());
      case 0x46: // F
        return this.#push(pythonFloat(bytes.line()));
      case 0x49: // I
      case 0x4c: // L
        return this.#push(this.#decimal(bytes.line()));
      default:
        return false;
    }
  }

  #decimal(line: string): PyValue {
    if (line === '00' || line === '01') return line === '01';
    const digits = line.trim().replace(/L$/, '');
    if (!/^[+-]?\d+$/.test(digits)) throw this.#in.fail(`"${line}" is no integer`);
    return integer(BigInt(digits));
  }

  #text(code: number): boolean {
    const bytes = this.#in;
    switch (code) {
      case 0x58: // X
        return this.#push(bytes.text(bytes.u32()));
      case 0x8c:
        return this.#push(bytes.text(bytes.byte()));
      case 0x8d:
        return this.#push(bytes.text(bytes.u64()));
      case 0x54: // T
        return this.#push(bytes.latin1(bytes.i32()));
      case 0x55: // U
        return this.#push(bytes.latin1(bytes.byte()));
      case 0x56: // V
        return this.#push(
          bytes
            .line('latin1')
            .replace(/\\u([\dA-Fa-f]{4})|\\U([\dA-Fa-f]{8})/g, (_, a, b) =>
              String.fromCodePoint(Number.parseInt(a ?? b, 16)),
            ),
        );
      case 0x53: // S
        return this.#push(this.#quoted(bytes.line()));
      case 0x42: // B
        return this.#push(bytes.copy(bytes.u32()));
      case 0x43: // C
        return this.#push(bytes.copy(bytes.byte()));
      case 0x8e:
      case 0x96:
        return this.#push(bytes.copy(bytes.u64()));
      default:
        return false;
    }
  }

  #quoted(line: string): string {
    const found = /^(['"])(.*)\1$/s.exec(line.trim());
    if (!found) throw this.#in.fail('a text has no quotes');
    return found[2].replace(/\\x([\da-f]{2})|\\(.)/gi, (_, hex, char) =>
      hex ? String.fromCharCode(Number.parseInt(hex, 16)) : (ESCAPES[char] ?? char),
    );
  }

  #collect(code: number): boolean {
    switch (code) {
      case 0x28: // (
        this.#stack.push(new Mark());
        return true;
      case 0x5d: // ]
        return this.#push([]);
      case 0x6c: // l
        return this.#push(this.#sinceMark());
      case 0x7d: // }
        return this.#push(new PyDict());
      case 0x64: // d
        return this.#push(this.#pairs(new PyDict(), this.#sinceMark()));
      case 0x8f:
        return this.#push(new PySet([]));
      case 0x91:
        return this.#push(new PySet(this.#sinceMark()));
      case 0x29: // )
        return this.#push(new PyTuple([]));
      case 0x74: // t
        return this.#push(new PyTuple(this.#sinceMark()));
      case 0x85:
      case 0x86:
      case 0x87: {
        const items = Array.from({ length: code - 0x84 }, () => this.#pop());
        return this.#push(new PyTuple(items.reverse()));
      }
      case 0x61: // a
        return this.#append([this.#pop()]);
      case 0x65: // e
        return this.#append(this.#sinceMark());
      case 0x73: {
        // s
        const value = this.#pop();
        const key = this.#pop();
        this.#pairs(this.#top(), [key, value]);
        return true;
      }
      case 0x75: {
        // u
        const items = this.#sinceMark();
        this.#pairs(this.#top(), items);
        return true;
      }
      case 0x90: {
        const items = this.#sinceMark();
        const set = this.#top();
        if (!(set instanceof PySet)) throw this.#in.fail('items for something that is no set');
        for (const item of items) set.items.push(item);
        return true;
      }
      default:
        return false;
    }
  }

  #append(items: readonly PyValue[]): true {
    const target = this.#top();
    const list = target instanceof PyObject ? target.items : target;
    if (!Array.isArray(list)) throw this.#in.fail('items for something that is no list');
    for (const item of items) list.push(item);
    return true;
  }

  #pairs(target: PyValue, items: readonly PyValue[]): PyValue {
    if (!(target instanceof PyDict || target instanceof PyObject) || items.length % 2 > 0) {
      throw this.#in.fail('entries for something that is no dict');
    }
    for (let i = 0; i < items.length; i += 2) target.entries.set(items[i], items[i + 1]);
    return target;
  }

  #object(code: number): boolean {
    const bytes = this.#in;
    switch (code) {
      case 0x63: // c
        return this.#push(new PyGlobal(`${bytes.line()}.${bytes.line()}`));
      case 0x93: {
        const name = this.#pop();
        const module = this.#pop();
        return this.#push(new PyGlobal(`${String(module)}.${String(name)}`));
      }
      case 0x52: // R
      case 0x81: {
        const args = this.#pop();
        return this.#push(this.#call(this.#pop(), args));
      }
      case 0x92: {
        this.#pop(); // keyword arguments
        const args = this.#pop();
        return this.#push(this.#call(this.#pop(), args));
      }
      case 0x6f: {
        // o
        const [type, ...args] = this.#sinceMark();
        return this.#push(this.#call(type, new PyTuple(args)));
      }
      case 0x69: {
        // i
        const type = new PyGlobal(`${bytes.line()}.${bytes.line()}`);
        return this.#push(this.#call(type, new PyTuple(this.#sinceMark())));
      }
      case 0x62: {
        // b
        const state = this.#pop();
        const target = this.#top();
        if (target instanceof PyObject) target.state = state;
        return true;
      }
      case 0x50: // P
        return this.#push(this.#meaning.persistent(bytes.line()));
      case 0x51: // Q
        return this.#push(this.#meaning.persistent(this.#pop()));
      default:
        return false;
    }
  }

  #call(callable: PyValue, args: PyValue): PyValue {
    if (!(callable instanceof PyGlobal) || !(args instanceof PyTuple)) throw this.#in.fail('a call of no function');
    return this.#meaning.call(callable.name, args.items) ?? new PyObject(callable.name, args.items);
  }

  #keep(code: number): boolean {
    const bytes = this.#in;
    switch (code) {
      case 0x80: {
        const protocol = bytes.byte();
        if (protocol > 5) throw bytes.fail(`protocol ${protocol} is not known`);
        return true;
      }
      case 0x95: // frames say how much may be read at once
        bytes.u64();
        return true;
      case 0x30: // 0
        this.#stack.pop();
        return true;
      case 0x31: // 1
        this.#sinceMark();
        return true;
      case 0x32: // 2
        return this.#push(this.#top());
      case 0x70: // p
        return this.#memoize(Number(bytes.line()));
      case 0x71: // q
        return this.#memoize(bytes.byte());
      case 0x72: // r
        return this.#memoize(bytes.u32());
      case 0x94:
        return this.#memoize(this.#memo.size);
      case 0x67: // g
        return this.#recall(Number(bytes.line()));
      case 0x68: // h
        return this.#recall(bytes.byte());
      case 0x6a: // j
        return this.#recall(bytes.u32());
      default:
        return false;
    }
  }

  #memoize(key: number): true {
    this.#memo.set(key, this.#top());
    return true;
  }

  #recall(key: number): true {
    const value = this.#memo.get(key);
    if (value === undefined) throw this.#in.fail(`there is no earlier value ${key}`);
    return this.#push(value);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function pythonFloat(line: string): number {
  const text = line.trim();
  if (text === 'inf' || text === '-inf') return text === 'inf' ? Infinity : -Infinity;
  return text === 'nan' ? Number.NaN : Number(text);
}
