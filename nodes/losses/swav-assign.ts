/** SwAV's assignments: scores of some crops, with those of a queue, through Sinkhorn-Knopp. */
import type { Tensor } from '../../runtime/tensor/types.ts';
import { exponentials, sinkhorn, type Tools } from './sinkhorn.ts';
import { exponentialsInDouble, type HostMatrix, sinkhornInDouble } from './sinkhorn-double.ts';

export interface AssignOptions {
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
  epsilon: number,
  options: AssignOptions,
): Promise<Tensor> {
  const { tf, ops } = tools;
  const all = ops.noGrad(() => (queued ? tf.concat([scores, queued], 0) : tf.clone(scores)));
  const soft = options.inDouble
    ? fromHost(
        tools,
        await sinkhornInDouble(tools, await exponentialsInDouble(tools, await toHost(all), epsilon), options),
      )
    : await sinkhorn(tools, await exponentials(tools, all, epsilon), options);
  all.dispose();
  return harden(tools, soft, scores.shape[0], options.hard);
}

/** Assignments of weights q [n, K], not negative, as they are. */
export async function assignmentsOf(tools: Tools, q: Tensor, options: AssignOptions): Promise<Tensor> {
  const soft = options.inDouble
    ? fromHost(tools, await sinkhornInDouble(tools, await toHost(q), options))
    : await sinkhorn(
        tools,
        tools.ops.noGrad(() => tools.tf.clone(q)),
        options,
      );
  return harden(tools, soft, q.shape[0], options.hard);
}

/** The first `rows`, one-hot at their largest value when asked. */
function harden({ tf, ops }: Tools, soft: Tensor, rows: number, hard: boolean): Tensor {
  const prototypes = soft.shape[1]!;
  const own = ops.noGrad(() => {
    const kept = tf.slice(soft, [0, 0], [rows, prototypes]);
    return hard ? tf.cast(tf.oneHot(tf.argMax(kept, 1) as never, prototypes), 'float32') : kept;
  });
  soft.dispose();
  return own;
}

async function toHost(matrix: Tensor): Promise<HostMatrix> {
  const [rows, columns] = matrix.shape;
  return { rows, columns, data: Float64Array.from(await matrix.data()) };
}

const fromHost = ({ tf, ops }: Tools, { rows, columns, data }: HostMatrix): Tensor =>
  ops.noGrad(() => tf.tensor2d(Float32Array.from(data), [rows, columns]));
