/** The add-on's functions as TypeScript sees them, and loading it. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { addonPath } from './cache.ts';
import { locateLibtorch } from './locate.ts';
import { Missing } from './missing.ts';

/** A tensor of libtorch: a number that stays valid until it is released, and is refused afterwards. */
export type Handle = number;

/** What an operator takes: handles and numbers in the order of its schema; undefined stands for the default. */
export type Argument = number | boolean | string | null | undefined | readonly (number | boolean | null)[];
export type Operator = (...values: Argument[]) => any;

export interface Addon {
  bind(name: string, overload: string): Operator | null;
  schema(name: string, overload: string): string | null;
  fromBuffer(values: ArrayBufferView, shape: readonly number[], scalarType: number, device: string): Handle;
  readInto(handle: Handle, values: ArrayBufferView): void;
  release(handle: Handle): void;
  /** What is made until the scope of this mark closes is released then, unless it was kept. Scopes nest. */
  openScope(): number;
  closeScope(mark: number): void;
  keep(handle: Handle): Handle;
  shape(handle: Handle): number[];
  scalarType(handle: Handle): number;
  isContiguous(handle: Handle, memoryFormat: number): boolean;
  /** nothing else reads its memory */
  isExclusive(handle: Handle): boolean;
  live(): number;
  /** bytes in use, kept for later use, most in use since resetPeak */
  memory(): [number, number, number];
  trim(): void;
  resetPeak(): void;
  threads(): number;
  setThreads(count: number): void;
  version(): string;
  currentStream(device: string): number;
  pooledStream(device: string): number;
  /** returns the stream that was current */
  setStream(device: string, stream: number): number;
  recordEvent(device: string, stream: number): number;
  /** the stream waits for the event; the caller does not */
  waitEvent(event: number, device: string, stream: number): void;
  eventDone(event: number): boolean;
  /** the stream reads a tensor that was made on another: once released, its memory is not used again before it has */
  recordStream(handle: Handle, device: string, stream: number): void;
  releaseEvent(event: number): void;
  /** the group's number, with which it can be left at once, and when it is joined */
  joinGroup(
    kind: 'tcp' | 'file',
    place: string,
    port: number,
    address: string,
    rank: number,
    size: number,
    milliseconds: number,
  ): [group: number, joined: Promise<null>];
  /** promises of the group that are open are rejected */
  leaveGroup(group: number): void;
  allReduce(group: number, handle: Handle, operation: number): Promise<null>;
  broadcast(group: number, handle: Handle, root: number): Promise<null>;
  allGather(group: number, outputs: readonly Handle[], input: Handle): Promise<null>;
  barrier(group: number): Promise<null>;
}

/** @throws one sentence: no libtorch, not built yet, or it does not load */
export function loadAddon(): Addon {
  const libtorch = locateLibtorch();
  const path = addonPath(libtorch);
  if (!existsSync(path)) {
    throw new Missing(
      `the add-on for libtorch ${libtorch.version.join('.')} is not built`,
      'pipe backends build torch',
    );
  }
  try {
    return createRequire(import.meta.url)(path) as Addon;
  } catch (error) {
    throw new Missing(
      `the libtorch add-on ${path} does not load (${(error as Error).message})`,
      'pipe backends build torch --force',
    );
  }
}
