/** Gradients of a rank → their means over the ranks. */
import type { Ranks } from '../node.ts';
import type { Tensor, TensorBackend } from '../tensor/types.ts';

/** bytes that are exchanged at once, as PyTorch's DistributedDataParallel does by default */
const BUCKET = 25 * 2 ** 20;

/** Means over the ranks; the gradients given are freed. Every rank must give the same shapes in the same order. */
export async function averageOverRanks(
  { tf, scope }: Pick<TensorBackend, 'tf' | 'scope'>,
  ranks: Ranks,
  gradients: readonly Tensor[],
): Promise<Tensor[]> {
  const means: Tensor[] = [];
  for (const bucket of inBuckets(gradients)) {
    const flat = scope(() => tf.concat(bucket.map((gradient) => tf.reshape(gradient, [-1]))));
    const shapes = bucket.map(({ shape }) => shape);
    for (const gradient of bucket) gradient.dispose();
    const mean = await ranks.allReduce(flat, 'mean');
    flat.dispose();
    means.push(...apart({ tf, scope }, mean, shapes));
    mean.dispose();
  }
  return means;
}

/** A flat tensor → tensors of these shapes, one after another. */
export function apart(
  { tf, scope }: Pick<TensorBackend, 'tf' | 'scope'>,
  flat: Tensor,
  shapes: readonly (readonly number[])[],
): Tensor[] {
  let start = 0;
  return scope(() =>
    shapes.map((shape) => {
      const size = shape.reduce((product, n) => product * n, 1);
      const part = tf.reshape(tf.slice(flat, [start], [size]), [...shape]);
      start += size;
      return part;
    }),
  );
}

export function inBuckets<T extends { readonly size: number }>(tensors: readonly T[]): T[][] {
  const buckets: T[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const tensor of tensors) {
    if (bytes + tensor.size * 4 > BUCKET) {
      buckets.push([]);
      bytes = 0;
    }
    buckets.at(-1)!.push(tensor);
    bytes += tensor.size * 4;
  }
  return buckets;
}
