import * as tf from '@tensorflow/tfjs-core';
import { kernelScope } from './aten.ts';
import type { TensorInfo } from './data.ts';

/** Attributes of a kernel, by tfjs's names. */
export type Attributes = Record<string, any>;
export type Inputs = Record<string, TensorInfo>;
export type Kernel = (inputs: Inputs, attributes: Attributes) => TensorInfo | TensorInfo[];
export type Kernels = Readonly<Record<string, Kernel>>;

/** Make kernels known to tfjs under their names. */
export function registerKernels(kernels: Kernels): void {
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    tf.registerKernel({
      kernelName,
      backendName: 'torch',
      kernelFunc: ({ inputs, attrs }) => kernelScope(() => kernel(inputs as Inputs, (attrs ?? {}) as Attributes)),
    });
  }
}
