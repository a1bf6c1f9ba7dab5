import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '../types.ts';
import { type Gradient, sumTo } from './register.ts';

/** Gradient of a · b with respect to a (not transposed): dy · bᵀ; sums over broadcast batches. */
const product = (x: Tensor, y: Tensor, transposeX: boolean, transposeY: boolean, shape: number[]) =>
  sumTo(tf.matMul(x, y, transposeX, transposeY), shape);

/** The letters of an equation by operand, and of its result. */
export function parseEinsum(equation: string): { operands: string[]; result: string } {
  const [left, result] = equation.replaceAll(' ', '').split('->');
  return { operands: left.split(','), result };
}

export const matrixGradients: Record<string, Gradient> = {
  BatchMatMul: {
    inputs: ['a', 'b'],
    grad: (dy, [a, b], { transposeA, transposeB }) => ({
      a: () => (transposeA ? product(b, dy, transposeB, true, a.shape) : product(dy, b, false, !transposeB, a.shape)),
      b: () => (transposeB ? product(dy, a, true, transposeA, b.shape) : product(a, dy, !transposeA, false, b.shape)),
    }),
  },
  Einsum: {
    allInputs: true,
    grad: (dy, inputs, { equation }) => {
      const { operands, result } = parseEinsum(equation);
      const gradient = (i: number) => {
        const others = operands.filter((_, j) => j !== i);
        const known = new Set([result, ...others].join(''));
        const letters = [...operands[i]];
        const kept = letters.filter((letter) => known.has(letter)).join('');
        const contracted = tf.einsum(
          `${[result, ...others].join(',')}->${kept}`,
          dy,
          ...inputs.filter((_, j) => j !== i),
        );
        // letters summed within this operand alone get the same gradient everywhere
        const shape = letters.map((letter, axis) => (known.has(letter) ? inputs[i].shape[axis] : 1));
        return tf.broadcastTo(tf.reshape(contracted, shape), inputs[i].shape);
      };
      return Object.fromEntries(inputs.map((_, i) => [i, () => gradient(i)]));
    },
  },
};
