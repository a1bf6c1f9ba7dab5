/**
 * Activation checkpointing: what a piece of work makes on its way is not kept for the backward pass, but made again
 * there. Chen et al. 2016, arXiv:1604.06174.
 */
import * as tf from '@tensorflow/tfjs-core';
import { noGrad, recording } from './recording.ts';
import type { Tensor, Variable } from './types.ts';

/** @param again it is the second time: running statistics stay as they are, random draws are those of the first */
export type Work = (x: Tensor, again: boolean) => Tensor;

/**
 * Do the work, keeping x alone; with recording off, just do it. Gradients are those of the work itself, bit for bit.
 * @param used variables that the first run has read
 */
export function recomputed(x: Tensor, work: Work, used: () => Iterable<Variable>): Tensor {
  const tape = recording();
  if (!tape) return work(x, false);
  const [y, saved] = noGrad(() => [work(x, false), tf.keep(tf.clone(x))]);
  if (y === x) {
    saved.dispose();
    return x;
  }
  const inputs: Record<string, Tensor> = { x };
  for (const variable of used()) inputs[variable.name] = variable;
  tape.push({
    kernelName: 'Recomputed',
    inputs,
    outputs: [y],
    saved: [saved],
    again: (given) => work(given, true),
  });
  return y;
}
