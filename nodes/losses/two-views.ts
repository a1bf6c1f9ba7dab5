import type { Tensor, TensorApi } from '../../runtime/tensor/types.ts';

/** First and second views of embeddings [2·N, D]. */
export function twoViews(tf: TensorApi, embeddings: Tensor, name: string): readonly [Tensor, Tensor] {
  const [rows, width] = embeddings.shape;
  if (embeddings.shape.length !== 2 || rows % 2 !== 0) {
    throw new Error(`${name} takes two views per image, [2·N, D], not [${embeddings.shape}]`);
  }
  const half = rows / 2;
  return [tf.slice(embeddings, [0, 0], [half, width]), tf.slice(embeddings, [half, 0], [half, width])];
}
