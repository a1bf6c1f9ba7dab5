import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '../types.ts';

/** The attributes of a kernel call, by name. */
export type Attributes = Record<string, any>;
export type InputGradients = Record<string, () => Tensor>;

export interface Gradient {
  /** names of the inputs that `grad` reads, handed to it in this order … */
  readonly inputs?: readonly string[];
  /** … followed by the kernel's first output */
  readonly output?: boolean;
  /** instead of `inputs`: all of them, for kernels that take a list */
  readonly allInputs?: boolean;
  readonly grad: (dy: any, saved: Tensor[], attributes: Attributes) => InputGradients;
}

/** Make gradients known to tfjs, for every backend. The Node build of tfjs-core comes without any. */
export function registerGradients(gradients: Readonly<Record<string, Gradient>>): void {
  for (const [kernelName, { inputs = [], output = false, allInputs = false, grad }] of Object.entries(gradients)) {
    tf.registerGradient({
      kernelName,
      inputsToSave: [...inputs],
      outputsToSave: output ? [true] : [],
      saveAllInputs: allInputs,
      gradFunc: grad as Parameters<typeof tf.registerGradient>[0]['gradFunc'],
    });
  }
}

/** Sum a gradient over the axes along which an operand of this shape was broadcast. */
export function sumTo(gradient: Tensor, shape: number[]): Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  const summed = axes.length > 0 ? tf.sum(gradient, axes) : gradient;
  return tf.reshape(summed, shape);
}

export const zeros = (x: Tensor): Tensor => tf.zeros(x.shape, 'float32');
