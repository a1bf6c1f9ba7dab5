/** SwAV's queue: embeddings of past images, whose scores take part in the assignments. */
import type { ComputeContext } from '../../runtime/node.ts';
import type { Tensor, Variable } from '../../runtime/tensor/types.ts';

export interface QueueFacts {
  readonly assignCrops: readonly number[];
  /** embeddings per crop on this rank */
  readonly length: number;
  readonly embeddingDim: number;
  /** per head */
  readonly prototypes: readonly number[];
}

export interface SwavQueue {
  /** scores [length, K] for head h, assign crop i; after `rescore` those of the current prototypes */
  scores(head: number, i: number): Tensor;
  /** prototypes [D, K] per head */
  rescore(prototypes: readonly Tensor[]): void;
  /**
   * Rows of embeddings go in front, the oldest leave: for each assign crop the `rows` rows of block `blocks[i]`
   * (default: of the crop's number).
   */
  push(embeddings: Tensor, rows: number, blocks?: readonly number[]): void;
}

/**
 * Embeddings begin uniform in ±1/√(D/3), scores in ±1, as in the reference code, where the first batch that uses the
 * queue sees these random scores.
 */
export function createQueue({ tf, ops, state }: ComputeContext<unknown>, facts: QueueFacts): SwavQueue {
  const { assignCrops, length, embeddingDim, prototypes } = facts;
  const uniform = (name: string, width: number, scale: number): Variable => {
    const shape = [assignCrops.length, length, width];
    return state.tensor(name, shape, 'float32', (random) =>
      Float32Array.from({ length: shape[0] * length * width }, () => random.uniform(-scale, scale)),
    );
  };
  const embeddings = uniform('local_emb_queue', embeddingDim, 1 / Math.sqrt(embeddingDim / 3));
  const scores = prototypes.map((width, head) => uniform(`local_queue${head}`, width, 1));
  const assign = (variable: Variable, f: () => Tensor) => {
    const value = ops.noGrad(f);
    variable.assign(value as never);
    value.dispose();
  };
  return {
    scores: (head, i) =>
      ops.noGrad(() => tf.squeeze(tf.slice(scores[head], [i, 0, 0], [1, length, prototypes[head]]), [0])),
    rescore(weights) {
      scores.forEach((variable, head) => {
        assign(variable, () => {
          const flat = tf.reshape(embeddings, [assignCrops.length * length, embeddingDim]);
          return tf.reshape(tf.matMul(flat as never, weights[head] as never), variable.shape);
        });
      });
    },
    push(latest, rows, blocks = assignCrops) {
      const kept = Math.max(0, length - rows);
      assign(embeddings, () =>
        tf.stack(
          blocks.map((block, i) => {
            const fresh = tf.slice(latest, [block * rows, 0], [Math.min(rows, length), embeddingDim]);
            if (kept === 0) return fresh;
            const old = tf.squeeze(tf.slice(embeddings, [i, 0, 0], [1, kept, embeddingDim]), [0]);
            return tf.concat([fresh, old], 0);
          }),
        ),
      );
    },
  };
}
