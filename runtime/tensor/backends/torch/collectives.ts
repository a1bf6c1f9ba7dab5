/** torch.distributed's Gloo collectives on tensors of this backend. Waiting does not block the thread. */
import type { Handle } from '../../native/addon.ts';
import type { Tensor } from '../../types.ts';
import { addon, aten, keep, kernelScope, scalarType } from './aten.ts';
import { cast, h, handOut, typeOf } from './data.ts';
import { tensorOf } from './fused/tensor.ts';

export interface GlooOptions {
  readonly rank: number;
  readonly size: number;
  /** where the ranks meet: rank 0 listens at host and port, or all write into a file on a shared disk that is new */
  readonly meet: { readonly host: string; readonly port: number } | { readonly file: string };
  /** address of this machine that the other ranks reach; default 127.0.0.1, right where all are on one */
  readonly address?: string;
  /** seconds until joining, or a collective, that some rank does not come to fails; default 1800 */
  readonly timeout?: number;
  /** joining is given up */
  readonly signal?: AbortSignal;
}

export interface GlooGroup {
  readonly rank: number;
  readonly size: number;
  allReduce(x: Tensor, op: 'sum' | 'max' | 'mean'): Promise<Tensor>;
  /** the ranks' tensors along axis 0; all of one shape */
  allGather(x: Tensor): Promise<Tensor>;
  broadcast(x: Tensor, from?: number): Promise<Tensor>;
  barrier(): Promise<void>;
  /** Leave; collectives after it fail, and so do those under way. */
  close(): void;
}

/** c10d::ReduceOp */
const SUM = 0;
const MAX = 4;

/** Join a group of processes; resolves when all have joined. */
export async function joinGloo(options: GlooOptions): Promise<GlooGroup> {
  const { rank, size, meet, address = '127.0.0.1', timeout = 1800, signal } = options;
  const [kind, place, port] =
    'file' in meet ? (['file', meet.file, 0] as const) : (['tcp', meet.host, meet.port] as const);
  const [group, joined] = addon.joinGroup(kind, place, port, address, rank, size, Math.round(timeout * 1000));
  const leave = (): void => addon.leaveGroup(group);
  signal?.addEventListener('abort', leave);
  try {
    await joined;
  } catch (error) {
    leave();
    throw error;
  } finally {
    signal?.removeEventListener('abort', leave);
  }

  return {
    rank,
    size,
    async allReduce(x, op) {
      const copy = copyOf(x);
      await orRelease([copy], addon.allReduce(group, copy, op === 'max' ? MAX : SUM));
      if (op === 'mean') kernelScope(() => aten('div_.Scalar')(copy, size));
      return tensorOf(handOut(copy, x.dtype, x.shape));
    },
    async allGather(x) {
      const all = kernelScope(() => keep(aten('empty.memory_format')([size, ...x.shape], typeOf[x.dtype])));
      const parts = kernelScope(() => (aten('unbind.int')(all, 0) as Handle[]).map(keep));
      const input = copyOf(x);
      await orRelease([all, ...parts, input], addon.allGather(group, parts, input));
      for (const handle of [...parts, input]) addon.release(handle);
      const shape = x.shape.length === 0 ? [size] : [size * x.shape[0], ...x.shape.slice(1)];
      const joined = kernelScope(() => keep(aten('reshape')(all, shape)));
      addon.release(all);
      return tensorOf(handOut(joined, x.dtype, shape));
    },
    async broadcast(x, from = 0) {
      const copy = copyOf(x);
      await orRelease([copy], addon.broadcast(group, copy, from));
      return tensorOf(handOut(copy, x.dtype, x.shape));
    },
    async barrier() {
      await addon.barrier(group);
    },
    close: leave,
  };
}

/** Gloo works on row-major memory of the processor, in place: a copy, in the format that tfjs sees. */
function copyOf(x: Tensor): Handle {
  if (x.dtype !== 'float32' && x.dtype !== 'int32') {
    throw new Error(`a collective takes float32 or int32 tensors, not ${x.dtype}: cast it first`);
  }
  return kernelScope(() => keep(aten('clone')(cast(h(x), scalarType[x.dtype as 'float32' | 'int32']), 0)));
}

async function orRelease(handles: readonly Handle[], work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    for (const handle of handles) addon.release(handle);
    throw error;
  }
}
