/**
 * Sinkhorn-Knopp on the device, in float32: scores become soft assignments that use all prototypes alike. Cuturi 2013,
 * arXiv:1306.0895; Caron et al. 2020, arXiv:2006.09882. Samples of all ranks are assigned together.
 */
import type { Ranks } from '../../runtime/node.ts';
import type { FusedOps, Tensor, TensorApi } from '../../runtime/tensor/types.ts';

export interface SinkhornOptions {
  readonly iterations: number;
  /** r in the power-law prior k^-r of the prototypes' shares; 0: equal shares */
  readonly powerLaw: number;
}

/** What each of K prototypes is to get of all samples; sums to 1. */
export function prototypeShares(prototypes: number, powerLaw: number): Float64Array {
  const shares = Float64Array.from({ length: prototypes }, (_, k) => (k + 1) ** -powerLaw);
  const total = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => share / total);
}

/** exp(scores / epsilon − M), M the largest of all ranks: [m, K] → [m, K]. */
export async function exponentials({ tf, ops, ranks }: Tools, scores: Tensor, epsilon: number): Promise<Tensor> {
  const largest = ops.noGrad(() => tf.max(tf.div(scores, epsilon)));
  const shift = await ranks.allReduce(largest, 'max');
  return ops.noGrad(() => tf.exp(tf.sub(tf.div(scores, epsilon), shift)));
}

export interface Tools {
  readonly tf: TensorApi;
  readonly ops: FusedOps;
  readonly ranks: Ranks;
}

/**
 * @param q [m, K], not negative: this rank's samples; disposed of
 * @returns [m, K], rows sum to 1
 * Infinite entries count as the largest finite one. When a prototype gets nothing, 1e-12 is added everywhere.
 */
export async function sinkhorn({ tf, ops, ranks }: Tools, q: Tensor, options: SinkhornOptions): Promise<Tensor> {
  const [rows, prototypes] = q.shape;
  const samples = rows * ranks.size;
  let current = q;
  const replace = (f: (current: Tensor) => Tensor) => {
    const next = ops.noGrad(() => f(current));
    current.dispose();
    current = next;
  };
  const cap = (x: Tensor) => {
    const infinite = tf.equal(x, Number.POSITIVE_INFINITY);
    return tf.where(infinite, tf.max(tf.where(infinite, tf.zerosLike(x), x)), x);
  };

  replace(cap);
  const total = await ranks.allReduce(
    ops.noGrad(() => tf.sum(current)),
    'sum',
  );
  replace((x) => tf.div(x, total));
  const shares = ops.noGrad(() => tf.tensor1d(Float32Array.from(prototypeShares(prototypes, options.powerLaw))));
  for (let i = 0; i < options.iterations; i++) {
    const sums = await ranks.allReduce(
      ops.noGrad(() => tf.sum(current, 0)),
      'sum',
    );
    replace((x) => {
      const empty = tf.mul(tf.cast(tf.any(tf.equal(sums, 0)), 'float32'), 1e-12);
      const raised = tf.add(sums, tf.mul(empty, samples));
      const scaled = tf.mul(tf.add(x, empty), cap(tf.div(shares, raised)));
      return tf.div(scaled, tf.mul(tf.sum(scaled, 1, true), samples));
    });
    sums.dispose();
  }
  shares.dispose();
  total.dispose();
  replace((x) => tf.div(x, tf.sum(x, 1, true)));
  return current;
}
