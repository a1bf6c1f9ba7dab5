/**
 * Kernels that run on the values in JavaScript, by tfjs's cpu backend: what a native library has not (strings, say), and
 * algorithms over few values whose order of work is the result.
 */
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

type Inputs = Record<string, tf.TensorInfo>;
type Attributes = Record<string, any>;
export type HostKernel = (inputs: Inputs, attributes: Attributes) => tf.TensorInfo | tf.TensorInfo[];

/** The values of a backend's tensors. */
export interface HostAccess {
  read(tensor: tf.TensorInfo): tf.BackendValues;
  /** @returns the DataId */
  write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object;
}

let cpu: MathBackendCPU | null = null;

/** An instance of its own: the registered one may be in use. */
function hostBackend(): MathBackendCPU {
  if (!cpu) {
    cpu = new MathBackendCPU();
    (cpu as unknown as { firstUse: boolean }).firstUse = false; // no advice to install other packages
  }
  return cpu;
}

function run(name: string, inputs: Inputs, attributes: Attributes): tf.TensorInfo | tf.TensorInfo[] {
  const kernel = tf.getKernel(name, 'cpu');
  if (!kernel) throw new Error(`tfjs's cpu backend has no kernel ${name}`);
  return kernel.kernelFunc({ inputs, attrs: attributes, backend: hostBackend() });
}

/** Inputs are tensors or, for some kernels, lists of tensors; a kernel of a list alone gets it as its inputs. */
function convert<T>(value: unknown, f: (tensor: tf.TensorInfo) => T): unknown {
  if (Array.isArray(value)) return value.map((item) => convert(item, f));
  if (value && typeof value === 'object' && 'dataId' in value) return f(value as tf.TensorInfo);
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, convert(item, f)]));
}

/** @returns the kernel of this name of tfjs's cpu backend, on copies of the values */
export function hostKernel(name: string, { read, write }: HostAccess): HostKernel {
  const download = (tensor: tf.TensorInfo): tf.TensorInfo => {
    const values = read(tensor);
    const { shape, dtype } = tensor;
    if (dtype !== 'complex64') return hostBackend().makeTensorInfo(shape, dtype, values as tf.TypedArray);
    const pairs = values as Float32Array;
    const part = (offset: number) =>
      hostBackend().makeTensorInfo(
        shape,
        'float32',
        pairs.filter((_, i) => i % 2 === offset),
      );
    return run('Complex', { real: part(0), imag: part(1) }, {}) as tf.TensorInfo;
  };
  const raise = (tensor: tf.TensorInfo): tf.TensorInfo => {
    const values = hostBackend().readSync(tensor.dataId);
    return { ...tensor, dataId: write(values, tensor.shape, tensor.dtype) };
  };
  return (inputs, attributes) => {
    const made: tf.TensorInfo[] = [];
    const copies = convert(inputs, (tensor) => {
      made.push(download(tensor));
      return { ...made.at(-1), rank: tensor.shape.length }; // some kernels take their inputs for whole tensors
    });
    const outputs = run(name, copies as Inputs, attributes);
    made.push(...(Array.isArray(outputs) ? outputs : [outputs]));
    const raised = convert(outputs, raise) as tf.TensorInfo | tf.TensorInfo[];
    for (const { dataId } of made) hostBackend().disposeData(dataId, true);
    return raised;
  };
}
