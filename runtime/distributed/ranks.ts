/** What nodes and the engine see of a group: collectives on tensors. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ranks } from '../node.ts';
import type { GlooGroup } from '../tensor/backends/torch/collectives.ts';
import type { Tensor, TensorBackend } from '../tensor/types.ts';
import { joinGlooOver } from './gloo.ts';
import type { Group } from './group.ts';
import { RankError } from './messages.ts';
import type { Numbers } from './reduce.ts';

export interface GroupRanks extends Ranks {
  readonly machines: number;
  /** Gather among `members` while this thread sleeps, inside a synchronous forward pass. */
  gatherNow(values: Float32Array, members: readonly number[]): Float32Array;
}

/** ms after Gloo's error in which the group may say whose end was the cause */
const TELLS = 2000;

/** Backends whose data() gives a copy of its own, which may be given away. */
const GIVES_COPIES: ReadonlySet<string> = new Set(['wasm', 'torch']);

/**
 * Collectives on this backend's tensors. Reading and writing goes over the processor's memory, except where all ranks
 * have Gloo. Reductions are made in the order of ranks: a run repeats bit for bit.
 */
export async function createRanks(group: Group, backend: TensorBackend): Promise<GroupRanks> {
  const { tf } = backend;
  const gloo = await joinGlooOver(group, backend);
  const onCpu = backend.device.startsWith('CPU');
  /** at once where that is possible: what waits for the exchange can do other work meanwhile */
  const read = (x: Tensor): Numbers | Promise<Numbers> => {
    if (x.dtype !== 'float32' && x.dtype !== 'int32') {
      throw new Error(`a collective takes float32 or int32 tensors, not ${x.dtype}: cast it first`);
    }
    const own = (values: unknown): Numbers =>
      GIVES_COPIES.has(backend.name) ? (values as Numbers) : (values as Numbers).slice();
    return onCpu ? own(x.dataSync()) : x.data().then(own);
  };
  const made = (values: Numbers, x: Tensor, shape: readonly number[] = x.shape): Tensor =>
    tf.tensor(values, [...shape], x.dtype);
  const over = gloo && ((work: (gloo: GlooGroup) => Promise<Tensor>) => named(group, work(gloo)));

  return {
    size: group.size,
    rank: group.rank,
    machines: group.machines,
    async allReduce(x, op) {
      if (op === 'mean' && x.dtype !== 'float32')
        throw new Error(`the mean of ${x.dtype} tensors is not defined: cast it first`);
      if (over && x.dtype === 'float32') return over((all) => all.allReduce(x, op));
      const given = read(x);
      const values = await group.reduce(given instanceof Promise ? await given : given, op === 'max' ? 'max' : 'sum');
      if (op === 'mean') for (let i = 0; i < values.length; i++) values[i] /= group.size;
      return made(values, x);
    },
    async allGather(x) {
      if (over && x.dtype === 'float32') return over((all) => all.allGather(x));
      const values = await group.gather(await read(x));
      return made(values, x, x.rank === 0 ? [group.size] : [x.shape[0] * group.size, ...x.shape.slice(1)]);
    },
    async broadcast(x, from = 0) {
      if (over && x.dtype === 'float32') return over((all) => all.broadcast(x, from));
      return made(await group.broadcast(await read(x), from), x);
    },
    barrier: () => group.barrier(),
    gatherNow: (values, members) => group.gatherNow(values, members),
  };
}

/** Gloo waits long for a rank that is silent, and does not say which one is gone: the group knows. */
async function named<T>(group: Group, work: Promise<T>): Promise<T> {
  const lost = group.lost.then((error) => Promise.reject(error));
  try {
    return await Promise.race([work, lost]);
  } catch (error) {
    if (error instanceof RankError) throw error;
    throw await Promise.race([group.lost, sleep(TELLS, error)]);
  }
}
