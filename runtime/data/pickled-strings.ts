/** A pickled list of str, or NumPy's array of them, read without executing anything: calls stay records of themselves. */
import { unpickle } from '../train/torch-file/unpickle.ts';
import { PyGlobal, PyObject, PyTuple, type PyValue } from '../train/torch-file/values.ts';
import { type StringTable, StringTableBuilder } from './string-table.ts';

const CURE = 'save the paths as .npy of str, .json or .txt';

/** Throws an Error that names the file and what it holds instead. */
export function pickledStrings(bytes: Buffer, file: string): StringTable {
  const { value } = unpickle(bytes, file, {
    call: () => undefined,
    persistent: () => {
      throw new Error(`${file} refers to something outside of its pickle: ${CURE}`);
    },
  });
  const table = new StringTableBuilder();
  listOf(value, file).forEach((item, i) => {
    if (typeof item !== 'string') throw new Error(`${file}: entry ${i} is not a str`);
    table.add(item);
  });
  return table.finish();
}

function listOf(value: PyValue, file: string): readonly PyValue[] {
  if (Array.isArray(value)) return value;
  if (value instanceof PyTuple) return value.items;
  if (value instanceof PyGlobal) throw refusal(value.name, file);
  if (!(value instanceof PyObject)) throw new Error(`${file} is pickled, and not a list of str: ${CURE}`);
  // the state of an array of objects: version, shape, dtype, order, list
  const state = value.state instanceof PyTuple ? value.state.items[4] : undefined;
  if (/^numpy\.(ndarray|_?core\.multiarray\._reconstruct)$/.test(value.type) && Array.isArray(state)) return state;
  throw refusal(value.type, file);
}

const refusal = (name: string, file: string) =>
  new Error(`${file} asks for Python's ${name}, and nothing in a file is executed: ${CURE}`);
