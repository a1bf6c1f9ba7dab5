/**
 * libtorch's operators, bound once by schema name. What they return is temporary: released when the running kernel
 * ends, unless the kernel hands it out (`keep`). Importing this file loads libtorch.
 */
import { type Argument, type Handle, loadAddon, type Operator } from '../../native/addon.ts';

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

const bound = new Map<string, Operator>();
const temporaries: Handle[] = [];

/**
 * The operator of this name, e.g. 'add.Tensor', as a function of its schema's arguments in order.
 * @throws when this libtorch has none
 */
export function aten(name: string): Operator {
  let operator = bound.get(name);
  if (!operator) {
    const [base, overload = ''] = name.split('.');
    const native = addon.bind(`aten::${base}`, overload);
    if (!native) throw new Error(`libtorch ${version} has no operator aten::${name}`);
    operator = (...values: Argument[]) => track(native(...values));
    bound.set(name, operator);
  }
  return operator;
}

function track<T>(result: T): T {
  if (typeof result === 'number') temporaries.push(result);
  else if (Array.isArray(result)) for (const item of result) track(item);
  return result;
}

/** Upload; temporary like an operator's result. */
export function upload(values: ArrayBufferView, shape: readonly number[], type: number): Handle {
  return track(addon.fromBuffer(values, shape, type, device));
}

/** Take a result out of the temporaries: the caller releases it. */
export function keep(handle: Handle): Handle {
  const at = temporaries.lastIndexOf(handle);
  if (at < 0) throw new Error(`tensor handle ${handle} is not a temporary of the running kernel`);
  temporaries[at] = temporaries[temporaries.length - 1];
  temporaries.pop();
  return handle;
}

/** Run a kernel; temporaries that it did not keep are released, also after an error. */
export function kernelScope<T>(kernel: () => T): T {
  const mark = temporaries.length;
  try {
    return kernel();
  } finally {
    while (temporaries.length > mark) addon.release(temporaries.pop()!);
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
