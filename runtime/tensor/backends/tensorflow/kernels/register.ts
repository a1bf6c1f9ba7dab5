/** Putting kernels in the place of the package's, or beside them. */
import * as tf from '@tensorflow/tfjs-core';
import type { Attributes } from '../../../gradients/register.ts';
import type { Tensor } from '../../../types.ts';

export type Inputs = Record<string, Tensor>;
type Result = tf.TensorInfo | tf.TensorInfo[];
export type Kernel = (inputs: Inputs, attributes: Attributes) => Result;
/** A kernel that hands some calls on to the package's. */
export type Override = (stock: Kernel) => Kernel;

function replace(kernelName: string, make: Override): void {
  const present = tf.getKernel(kernelName, 'tensorflow');
  if (present) tf.unregisterKernel(kernelName, 'tensorflow');
  const stock: Kernel = (inputs, attributes) =>
    present.kernelFunc({ inputs, attrs: attributes, backend: tf.findBackend('tensorflow') }) as Result;
  const kernel = make(stock);
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs }) => tf.tidy(() => kernel(inputs as Inputs, (attrs ?? {}) as Attributes) as Tensor),
  });
}

export function register(kernels: Readonly<Record<string, Kernel>>): void {
  for (const [name, kernel] of Object.entries(kernels)) replace(name, () => kernel);
}

export function override(kernels: Readonly<Record<string, Override>>): void {
  for (const [name, make] of Object.entries(kernels)) replace(name, make);
}
