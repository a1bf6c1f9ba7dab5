/** What nodes and the engine see of a group: collectives on tensors, and on numbers of host memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ranks } from '../node.ts';
import type { GlooGroup } from '../tensor/backends/torch/collectives.ts';
import type { Tensor, TensorBackend } from '../tensor/types.ts';
import { checkDevices, isOnCpu } from './devices.ts';
import { joinGlooOver } from './gloo.ts';
import type { Group } from './group.ts';
import type { Numbers } from './reduce.ts';

export interface GroupRanks extends Ranks {
  readonly machines: number;
  /** Gather among `members` while this thread sleeps, inside a synchronous forward pass. */
  gatherNow(values: Float32Array, members: readonly number[]): Float32Array;
}

/**
 * ms between what Gloo sees of a rank's end and what the group says of it, at most: after an error of Gloo's the group
 * may name the rank, and after a rank has left in order what it had taken part in may still arrive
 */
const APART = 2000;

/** Backends whose data() gives a copy of its own, which may be given away. */
const GIVES_COPIES: ReadonlySet<string> = new Set(['wasm', 'torch']);

/**
 * Collectives on this backend's tensors. Reading and writing goes over the processor's memory, except where all ranks
 * have Gloo. Reductions are made in the order of ranks: a run repeats bit for bit.
 * @throws PlaceError where some ranks have a GPU and others do not
 */
export async function createRanks(group: Group, backend: TensorBackend): Promise<GroupRanks> {
  const { tf } = backend;
  await checkDevices(group, backend);
  const gloo = await joinGlooOver(group, backend);
  if (gloo) void endWith(group, gloo);
  const onCpu = isOnCpu(backend);
  /** at once where that is possible: what waits for the exchange can do other work meanwhile */
  const read = (x: Tensor | Numbers): Numbers | Promise<Numbers> => {
    if (isNumbers(x)) return x.slice();
    if (x.dtype !== 'float32' && x.dtype !== 'int32') {
      throw new Error(`a collective takes float32 or int32 tensors, not ${x.dtype}: cast it first`);
    }
    const own = (values: unknown): Numbers =>
      GIVES_COPIES.has(backend.name) ? (values as Numbers) : (values as Numbers).slice();
    return onCpu ? own(x.dataSync()) : x.data().then(own);
  };
  const made = (values: Numbers, x: Tensor, shape: readonly number[] = x.shape): Tensor =>
    tf.tensor(values, [...shape], x.dtype);
  const over = (x: Tensor | Numbers, work: (gloo: GlooGroup, x: Tensor) => Promise<Tensor>) =>
    gloo && !isNumbers(x) && x.dtype === 'float32' ? named(group, work(gloo, x)) : undefined;

  return {
    size: group.size,
    rank: group.rank,
    machines: group.machines,
    async allReduce(x: Tensor | Numbers, op: 'sum' | 'max' | 'mean'): Promise<any> {
      if (op === 'mean' && dtypeOf(x) !== 'float32')
        throw new Error(`the mean of ${dtypeOf(x)} values is not defined: cast them first`);
      const reduced = over(x, (all, own) => all.allReduce(own, op));
      if (reduced) return reduced;
      const given = read(x);
      const values = await group.reduce(given instanceof Promise ? await given : given, op === 'max' ? 'max' : 'sum');
      if (op === 'mean') for (let i = 0; i < values.length; i++) values[i] /= group.size;
      return isNumbers(x) ? values : made(values, x);
    },
    async allGather(x: Tensor | Numbers): Promise<any> {
      const gathered = over(x, (all, own) => all.allGather(own));
      if (gathered) return gathered;
      const values = await group.gather(await read(x));
      if (isNumbers(x)) return values;
      return made(values, x, x.rank === 0 ? [group.size] : [x.shape[0] * group.size, ...x.shape.slice(1)]);
    },
    async broadcast(x: Tensor | Numbers, from = 0): Promise<any> {
      const sent = over(x, (all, own) => all.broadcast(own, from));
      if (sent) return sent;
      const values = await group.broadcast(await read(x), from);
      return isNumbers(x) ? values : made(values, x);
    },
    barrier: () => group.barrier(),
    gatherNow: (values, members) => group.gatherNow(values, members),
  };
}

const isNumbers = (x: Tensor | Numbers): x is Numbers => x instanceof Float32Array || x instanceof Int32Array;

const dtypeOf = (x: Tensor | Numbers): string =>
  isNumbers(x) ? (x instanceof Float32Array ? 'float32' : 'int32') : x.dtype;

/**
 * Gloo waits for a rank that is silent until its patience is over; the group knows by its signs of life that it is gone.
 * What is under way then ends, and keeps neither the caller nor the process.
 */
async function endWith(group: Group, gloo: GlooGroup): Promise<void> {
  await group.lost;
  setTimeout(() => gloo.close(), APART).unref();
}

/** Gloo does not say which rank is gone: the group knows. */
async function named<T>(group: Group, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const told = new AbortController();
    try {
      throw await Promise.race([group.lost, sleep(APART, error, { signal: told.signal })]);
    } finally {
      told.abort();
    }
  }
}
