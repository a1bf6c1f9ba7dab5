/**
 * A rank's membership in a group of processes: collectives on arrays of numbers. The work is done on a thread of its
 * own; waiting does not block the event loop, except in `gatherNow`.
 */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { startThread } from '../data/thread.ts';
import {
  type Failure,
  type FromThread,
  type GroupSettings,
  type NumberType,
  type Operation,
  RankError,
  type ThreadStart,
  type ToThread,
} from './messages.ts';
import { type Numbers, numbersOver } from './reduce.ts';

export type GroupOptions = Pick<GroupSettings, 'rank' | 'size' | 'meeting'> & Partial<GroupSettings>;

/** ms that the thread has, after it gave up, to say so */
const ANSWER = 10_000;

export interface Group {
  readonly rank: number;
  readonly size: number;
  readonly machines: number;
  /** number of this rank among those of its machine */
  readonly localRank: number;
  /** where this rank reaches the machine of rank 0 */
  readonly host: string;
  /** where the others reach this machine */
  readonly address: string;
  readonly limits: Pick<GroupSettings, 'joinTimeout' | 'patience'>;
  /** The values are given away: their buffer must hold nothing else. So it is with the next two. */
  reduce(values: Numbers, operation: 'sum' | 'max'): Promise<Numbers>;
  /** the values of all ranks one after another; as many on every rank */
  gather(values: Numbers): Promise<Numbers>;
  broadcast(values: Numbers, from: number): Promise<Numbers>;
  barrier(): Promise<void>;
  /** resolves when another rank is gone, also when it left in order */
  readonly lost: Promise<RankError>;
  /** Gather among `members` while this thread sleeps: for what happens inside a synchronous forward pass. */
  gatherNow(values: Float32Array, members: readonly number[]): Float32Array;
  /** Leave; the others are told the reason where they still wait for this rank. Default: in order */
  close(reason?: string): Promise<void>;
}

interface Pending {
  resolve(result: ArrayBuffer): void;
  reject(error: Error): void;
}

/**
 * Join a group; resolves when all ranks have.
 * @throws RankError that names the ranks that did not come, or cannot be reached
 */
export async function joinGroup(options: GroupOptions): Promise<Group> {
  const settings: GroupSettings = { timeout: 30, joinTimeout: 300, patience: 1800, sharedMemory: true, ...options };
  const { rank, size } = settings;
  const channel = new MessageChannel();
  const thread = startThread('thread', import.meta.url, {
    workerData: { settings, port: channel.port2 } satisfies ThreadStart,
    transferList: [channel.port2],
    name: 'ranks',
  });
  const pending = new Map<number, Pending>();
  let ended: Error | undefined;
  let tellLost: (error: RankError) => void = () => undefined;
  const lost = new Promise<RankError>((resolve) => {
    tellLost = resolve;
  });
  const gone = new Promise<void>((resolve) => {
    thread.once('exit', () => resolve());
  });
  const joined = new Promise<Extract<FromThread, { kind: 'joined' }>>((resolve, reject) => {
    const fail = (error: Error): void => {
      ended ??= error;
      reject(error);
      for (const { reject: refuse } of pending.values()) refuse(error);
      pending.clear();
    };
    thread.on('message', (message: FromThread) => {
      if (message.kind === 'joined') resolve(message);
      else if (message.kind === 'failed') fail(errorOf(message));
      else if (message.kind === 'lost') tellLost(errorOf(message));
      else settle(message);
    });
    thread.on('error', (error) =>
      fail(new Error(`the communication thread failed: ${error.message}`, { cause: error })),
    );
    thread.on('exit', () => fail(new Error('this rank has left its group')));
  });
  const settle = ({ id, result, failure }: Extract<FromThread, { kind: 'done' }>): void => {
    const work = pending.get(id);
    pending.delete(id);
    if (pending.size === 0) thread.unref();
    if (failure) work?.reject(errorOf(failure));
    else work?.resolve(result!);
  };
  const post = (message: ToThread, given: ArrayBuffer[] = []): void => thread.postMessage(message, given);
  const everyone = Array.from({ length: size }, (_, other) => other);
  let next = 0;

  const ask = async (operation: Operation, values: Numbers, from = 0): Promise<Numbers> => {
    if (ended) throw ended;
    const type: NumberType = values instanceof Float32Array ? 'float32' : 'int32';
    const buffer = whole(values);
    const id = next++;
    const result = await new Promise<ArrayBuffer>((resolve, reject) => {
      pending.set(id, { resolve, reject });
      thread.ref();
      post({ kind: 'collective', id, operation, type, values: buffer, members: everyone, from }, [buffer]);
    });
    return numbersOver(type, result);
  };

  const { machines, localRank, host, address } = await joined.catch(async (error) => {
    await gone;
    throw error;
  });
  thread.unref();
  const wake = new Int32Array(new SharedArrayBuffer(4));
  return {
    rank,
    size,
    machines,
    localRank,
    host,
    address,
    limits: settings,
    lost,
    reduce: (values, operation) => ask(operation, values),
    gather: (values) => ask('gather', values),
    broadcast: (values, from) => ask('broadcast', values, from),
    barrier: async () => void (await ask('barrier', new Int32Array(0))),
    gatherNow(values, members) {
      if (ended) throw ended;
      const buffer = values.slice().buffer; // few; the caller keeps its own
      const id = next++;
      Atomics.store(wake, 0, 0);
      post({ kind: 'collective', id, operation: 'gather', type: 'float32', values: buffer, members, from: 0, wake }, [
        buffer,
      ]);
      const slept = Atomics.wait(wake, 0, 0, settings.patience * 1000 + ANSWER);
      const answer = receiveMessageOnPort(channel.port1)?.message as Extract<FromThread, { kind: 'done' }> | undefined;
      if (slept === 'timed-out' || answer?.id !== id) throw new Error('the communication thread does not answer');
      if (answer.failure) throw errorOf(answer.failure);
      return new Float32Array(answer.result!);
    },
    async close(reason = '') {
      thread.ref();
      post({ kind: 'leave', reason });
      const patience = setTimeout(() => void thread.terminate(), ANSWER);
      await gone;
      clearTimeout(patience);
      channel.port1.close();
    },
  };
}

const errorOf = ({ message, rank }: Failure): RankError => new RankError(message, rank);

/** The buffer of the values, which holds nothing else. */
const whole = ({ buffer, byteOffset, byteLength }: Numbers): ArrayBuffer =>
  buffer instanceof ArrayBuffer && byteLength === buffer.byteLength
    ? buffer
    : (new Uint8Array(buffer, byteOffset, byteLength).slice().buffer as ArrayBuffer);
