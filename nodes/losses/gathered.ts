import type { Tensor } from '../../runtime/tensor/types.ts';
import type { Tools } from './sinkhorn.ts';

/** Rows of all ranks, in rank order. Gradients flow to this rank's own rows. */
export interface Gathered {
  /** [W·n, D] */
  readonly all: Tensor;
  /** first of this rank's rows */
  readonly start: number;
}

/** @param own [n, D], with as many rows on every rank */
export async function gather({ tf, ops, ranks }: Tools, own: Tensor): Promise<Gathered> {
  if (ranks.size === 1) return { all: own, start: 0 };
  const [rows, width] = own.shape;
  const everyone = await ranks.allGather(ops.noGrad(() => tf.clone(own)));
  const start = ranks.rank * rows;
  const part = (from: number, to: number) => ops.noGrad(() => tf.slice(everyone, [from, 0], [to - from, width]));
  const parts = [
    ...(start > 0 ? [part(0, start)] : []),
    own,
    ...(start + rows < everyone.shape[0] ? [part(start + rows, everyone.shape[0])] : []),
  ];
  return { all: tf.concat(parts, 0), start };
}

/**
 * The value of this rank's loss with the gradient of the sum of all ranks' losses, which a rank that holds all rows can
 * compute on its own: what a gather that is differentiated through gives.
 */
export function withGradientOf({ tf, ops }: Pick<Tools, 'tf' | 'ops'>, sumOfRanks: Tensor, own: Tensor): Tensor {
  return tf.add(
    sumOfRanks,
    ops.noGrad(() => tf.sub(own, sumOfRanks)),
  );
}
