/** SwAV's assignments: scores of some crops, with those of a queue, through Sinkhorn-Knopp. */
import type { Tensor } from '../../runtime/tensor/types.ts';
import { exponentials, sinkhorn, type Tools } from './sinkhorn.ts';
import { exponentialsInDouble, type HostMatrix, sinkhornInDouble } from './sinkhorn-double.ts';

export interface AssignOptions {
  readonly epsilon: number;
  readonly iterations: number;
  readonly powerLaw: number;
  readonly inDouble: boolean;
  /** one prototype per sample */
  readonly hard: boolean;
}

/**
 * @param scores [n, K] of this rank; no gradient flows through
 * @param queued [q, K], assigned with them and dropped; or null
 * @returns [n, K]; rows sum to 1
 */
export async function assign(
  tools: Tools,
  scores: Tensor,
  queued: Tensor | null,
  options: AssignOptions,
): Promise<Tensor> {
  const { tf, ops } = tools;
  const [rows, prototypes] = scores.shape;
  const all = ops.noGrad(() => (queued ? tf.concat([scores, queued], 0) : tf.clone(scores)));
  const soft = options.inDouble ? await doubly(tools, all, options) : await singly(tools, all, options);
  all.dispose();
  const own = ops.noGrad(() => {
    const kept = queued ? tf.slice(soft, [0, 0], [rows, prototypes]) : tf.clone(soft);
    return options.hard ? tf.cast(tf.oneHot(tf.argMax(kept, 1) as never, prototypes), 'float32') : kept;
  });
  soft.dispose();
  return own;
}

async function singly(tools: Tools, scores: Tensor, options: AssignOptions): Promise<Tensor> {
  return sinkhorn(tools, await exponentials(tools, scores, options.epsilon), options);
}

async function doubly(tools: Tools, scores: Tensor, options: AssignOptions): Promise<Tensor> {
  const [rows, columns] = scores.shape;
  const read: HostMatrix = { rows, columns, data: Float64Array.from(await scores.data()) };
  const q = await sinkhornInDouble(tools, await exponentialsInDouble(tools, read, options.epsilon), options);
  return tools.ops.noGrad(() => tools.tf.tensor2d(Float32Array.from(q.data), [rows, columns]));
}
