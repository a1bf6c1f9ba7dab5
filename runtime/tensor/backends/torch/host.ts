/**
 * Kernels that run on the values in JavaScript, by tfjs's cpu backend: strings, which libtorch has not, and algorithms
 * over few values whose order of work is the result (non-maximum suppression, ragged and sparse bookkeeping).
 */

import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { kernelScope } from './aten.ts';
import { dataOf, read, register, type TensorInfo, write } from './data.ts';
import type { Attributes, Inputs, Kernel } from './register.ts';

let cpu: MathBackendCPU | null = null;

/** An instance of its own: the registered one may be in use. */
function hostBackend(): MathBackendCPU {
  if (!cpu) {
    cpu = new MathBackendCPU();
    (cpu as unknown as { firstUse: boolean }).firstUse = false; // no advice to install other packages
  }
  return cpu;
}

const download = (tensor: TensorInfo): TensorInfo => {
  const values = read(dataOf(tensor));
  const { shape, dtype } = tensor;
  if (dtype !== 'complex64') return hostBackend().makeTensorInfo(shape, dtype, values as tf.TypedArray);
  const pairs = values as Float32Array;
  const part = (offset: number) =>
    hostBackend().makeTensorInfo(
      shape,
      'float32',
      pairs.filter((_, i) => i % 2 === offset),
    );
  return run('Complex', { real: part(0), imag: part(1) }, {}) as TensorInfo;
};

function run(name: string, inputs: Inputs, attributes: Attributes): TensorInfo | TensorInfo[] {
  const kernel = tf.getKernel(name, 'cpu');
  if (!kernel) throw new Error(`tfjs's cpu backend has no kernel ${name}`);
  return kernel.kernelFunc({ inputs, attrs: attributes, backend: hostBackend() });
}

const raise = (tensor: TensorInfo): TensorInfo => {
  const values = hostBackend().readSync(tensor.dataId);
  return { ...tensor, dataId: register(write(values, tensor.shape, tensor.dtype)) };
};

/** Inputs are tensors or, for some kernels, lists of tensors; a kernel of a list alone gets it as its inputs. */
function convert<T>(value: unknown, f: (tensor: TensorInfo) => T): unknown {
  if (Array.isArray(value)) return value.map((item) => convert(item, f));
  if (value && typeof value === 'object' && 'dataId' in value) return f(value as TensorInfo);
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, convert(item, f)]));
}

/** The kernel of this name of tfjs's cpu backend, on copies of the values. */
export function onHost(name: string): Kernel {
  return (inputs, attributes) =>
    kernelScope(() => {
      const made: TensorInfo[] = [];
      const copies = convert(inputs, (tensor) => {
        made.push(download(tensor));
        return { ...made.at(-1), rank: tensor.shape.length }; // some kernels take their inputs for whole tensors
      });
      const outputs = run(name, copies as Inputs, attributes);
      made.push(...(Array.isArray(outputs) ? outputs : [outputs]));
      const raised = convert(outputs, raise) as TensorInfo | TensorInfo[];
      for (const { dataId } of made) hostBackend().disposeData(dataId, true);
      return raised;
    });
}

/** Where any input is of strings, the host's kernel; else the given one. */
export function unlessStrings(name: string, kernel: Kernel): Kernel {
  const host = onHost(name);
  return (inputs, attributes) => {
    for (const key in inputs) if (inputs[key].dtype === 'string') return host(inputs, attributes);
    return kernel(inputs, attributes);
  };
}
