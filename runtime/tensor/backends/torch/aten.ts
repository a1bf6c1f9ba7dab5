/**
 * libtorch's operators, bound once by schema name. What they return is temporary: released when the running kernel
 * ends, unless the kernel hands it out (`keep`). Importing this file loads libtorch.
 */
import { type Handle, loadAddon, type Operator } from '../../native/addon.ts';

export const addon = loadAddon();
export const version = addon.version();

/** 'cuda' where libtorch has a GPU to work on, else 'cpu' */
export const device = hasCuda() ? 'cuda' : 'cpu';

/** c10::ScalarType */
export const scalarType = {
  uint8: 0,
  int32: 3,
  int64: 4,
  float16: 5,
  float32: 6,
  float64: 7,
  complex64: 9,
  bool: 11,
  bfloat16: 15,
} as const;

/** c10::MemoryFormat */
export const memoryFormat = { contiguous: 0, preserve: 1, channelsLast: 2 } as const;

const bound = new Map<string, Operator | null>();

/** The operator of this name, e.g. 'add.Tensor', as a function of its schema's arguments; null: this libtorch has none. */
export function findAten(name: string): Operator | null {
  let operator = bound.get(name);
  if (operator === undefined) {
    const [base, overload = ''] = name.split('.');
    operator = addon.bind(`aten::${base}`, overload);
    bound.set(name, operator);
  }
  return operator;
}

/** @throws when this libtorch has no such operator */
export function aten(name: string): Operator {
  const operator = findAten(name);
  if (!operator) throw new Error(`libtorch ${version} has no operator aten::${name}`);
  return operator;
}

/** An operator that the add-on itself brings, for the processor. */
export function ownOperator(name: string): Operator {
  const operator = addon.bind(`pipe::${name}`, '');
  if (!operator) throw new Error(`the add-on has no operator pipe::${name}`);
  return operator;
}

/** Upload; temporary like an operator's result. */
export const upload = (values: ArrayBufferView, shape: readonly number[], type: number): Handle =>
  addon.fromBuffer(values, shape, type, device);

/** Take a result out of the temporaries: the caller releases it. */
export const keep = (handle: Handle): Handle => addon.keep(handle);

/** Run a kernel; what it made and did not keep is released, also after an error. */
export function kernelScope<T>(kernel: () => T): T {
  const mark = addon.openScope();
  try {
    return kernel();
  } finally {
    addon.closeScope(mark);
  }
}

function hasCuda(): boolean {
  try {
    addon.currentStream('cuda');
    return true;
  } catch {
    return false;
  }
}
