/** What a rank's main thread and its communication thread tell each other. */
import type { MessagePort } from 'node:worker_threads';

/** Where ranks meet: rank 0 listens at host and port, or all write into a folder that they share. */
export type Meeting =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'file'; readonly folder: string };

export interface GroupSettings {
  readonly rank: number;
  readonly size: number;
  readonly meeting: Meeting;
  /** seconds without a sign of life after which a rank counts as dead; default 30 */
  readonly timeout: number;
  /** seconds in which all ranks must have come; default 300 */
  readonly joinTimeout: number;
  /** seconds that a collective waits for a rank that is alive but does not join it; default 1800 */
  readonly patience: number;
  /** use memory files between ranks of one machine; default true. Otherwise everything goes through sockets */
  readonly sharedMemory: boolean;
}

export type Operation = 'sum' | 'max' | 'gather' | 'broadcast' | 'barrier';
export type NumberType = 'float32' | 'int32';

export interface Request {
  readonly kind: 'collective';
  readonly id: number;
  readonly operation: Operation;
  readonly type: NumberType;
  /** this rank's values; the thread has them, and gives the result */
  readonly values: ArrayBuffer;
  /** ranks that take part, ascending */
  readonly members: readonly number[];
  /** broadcast: rank whose values count */
  readonly from: number;
  /** the main thread sleeps until cell 0 is 1; the answer goes to the port for this */
  readonly wake?: Int32Array;
}

export type ToThread = Request | { readonly kind: 'leave'; readonly reason: string };

export type FromThread =
  | {
      readonly kind: 'joined';
      readonly machines: number;
      readonly localRank: number;
      readonly host: string;
      readonly address: string;
    }
  | { readonly kind: 'failed'; readonly message: string; readonly rank?: number }
  /** another rank is gone, whether a collective waits for it or not */
  | { readonly kind: 'lost'; readonly message: string; readonly rank?: number }
  | { readonly kind: 'done'; readonly id: number; readonly result?: ArrayBuffer; readonly failure?: Failure };

export interface Failure {
  readonly message: string;
  /** the rank to blame, when there is one */
  readonly rank?: number;
}

export interface ThreadStart {
  readonly settings: GroupSettings;
  /** for answers that the main thread reads while it sleeps */
  readonly port: MessagePort;
}

/** A collective failed because of another rank, or of the connection to it. */
export class RankError extends Error {
  override readonly name = 'RankError';
  /** the rank to blame, when there is one */
  readonly rank: number | undefined;

  constructor(message: string, rank?: number) {
    super(message);
    this.rank = rank;
  }
}
