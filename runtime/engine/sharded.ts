/** Optimizers that update a share of the parameters on each rank, and keep the state of that share there. */
import type { Ranks } from '../node.ts';
import type { TensorBackend } from '../tensor/types.ts';
import type { TensorSource } from '../train/safetensors.ts';
import { valuesFrom } from './agree.ts';
import type { RunningGraph, RunningOptimizer } from './running.ts';
import type { EngineState } from './state.ts';

interface Host {
  readonly backend: TensorBackend;
  readonly ranks: Ranks;
}

/** Every rank gets what the others have updated. */
export async function shareUpdates(host: Host, { optimizer, parameters }: RunningOptimizer): Promise<void> {
  for (const [rank, share] of (optimizer.shares ?? []).entries()) {
    await valuesFrom(
      host,
      rank,
      share.map((i) => parameters[i].variable),
    );
  }
}

interface Part {
  readonly tensors: readonly Pick<TensorSource, 'name' | 'dtype' | 'shape'>[];
  readonly numbers: Readonly<Record<string, number>>;
}

export interface GatheredState {
  readonly tensors: readonly TensorSource[];
  readonly numbers: Readonly<Record<string, number>>;
}

/**
 * The state that the other ranks keep of such optimizers, on rank 0, in host memory: with its own a checkpoint is whole,
 * and the same however many ranks there are. Every rank takes part; the others get nothing.
 */
export async function gatherShards(host: Host, running: RunningGraph, state: EngineState): Promise<GatheredState> {
  const { backend, ranks } = host;
  const isSharded = (node: string): boolean => running.optimizers.get(node)?.optimizer.shares !== undefined;
  if (ranks.size === 1 || ![...running.optimizers.keys()].some(isSharded)) return { tensors: [], numbers: {} };
  const own = state.tensors(isSharded);
  const part: Part = {
    tensors: own.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    numbers: state.numbers(isSharded),
  };
  const parts = await allParts(host, part);
  const tensors: TensorSource[] = [];
  for (const [rank, { tensors: kept }] of parts.entries()) {
    if (rank === 0) continue;
    for (const [i, { name, dtype, shape }] of kept.entries()) {
      const given = rank === ranks.rank ? await own[i].read() : undefined;
      const values = await fromRank(backend, ranks, rank, dtype === 'I32' ? 'int32' : 'float32', shape, given as never);
      if (ranks.rank === 0) tensors.push({ name, dtype, shape, read: () => values });
    }
  }
  return ranks.rank === 0
    ? { tensors, numbers: Object.assign({}, ...parts.map(({ numbers }) => numbers)) }
    : { tensors, numbers: {} };
}

function fromRank(
  { tf, scopeAsync }: TensorBackend,
  ranks: Ranks,
  rank: number,
  dtype: 'float32' | 'int32',
  shape: readonly number[],
  given: Float32Array | Int32Array | undefined,
): Promise<Float32Array | Int32Array> {
  return scopeAsync(async () => {
    const size = shape.reduce((product, n) => product * n, 1);
    const x = given ? tf.tensor1d(given, dtype) : tf.zeros([size], dtype);
    const values = await (await ranks.broadcast(x, rank)).data();
    return ranks.rank === 0 ? (values.slice() as Float32Array | Int32Array) : new Float32Array(0);
  });
}

/** What each rank says of its part, in the order of ranks. */
async function allParts({ backend: { tf, scopeAsync }, ranks }: Host, part: Part): Promise<readonly Part[]> {
  const text = JSON.stringify(part);
  const codes = Int32Array.from(text, (_, i) => text.charCodeAt(i));
  return scopeAsync(async () => {
    const lengths = await (await ranks.allGather(tf.tensor1d([codes.length], 'int32'))).data();
    const longest = Math.max(...lengths);
    const padded = new Int32Array(longest);
    padded.set(codes);
    const all = await (await ranks.allGather(tf.tensor1d(padded, 'int32'))).data();
    return [...lengths].map((length, rank): Part => {
      const own = all.subarray(rank * longest, rank * longest + length);
      return JSON.parse(Array.from(own, (code) => String.fromCharCode(code)).join(''));
    });
  });
}
