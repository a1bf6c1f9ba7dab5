/**
 * The connection to one other rank: frames on a socket. Large data goes in chunks, of which a few may be under way;
 * between ranks of one machine the chunks lie in shared memory and only their numbers pass through the socket.
 */
import type { Socket } from 'node:net';
import { type Failure, RankError } from './messages.ts';
import { CHUNK, type Inbox, type Outbox, SLOTS } from './outbox.ts';

/** kind, two numbers, bytes that follow */
const HEADER = 16;

const KIND = { open: 1, chunk: 2, free: 3, beat: 4, leave: 5, hello: 6, ready: 7 } as const;

/** The begin of a collective on another rank, with its values where they are few. */
export interface Opening {
  readonly description: string;
  readonly values: Uint8Array;
}

interface Waiting<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** Values that come in, and those who wait for them: whichever is first. */
class Line<T> {
  readonly #values: T[] = [];
  readonly #waiting: Waiting<T>[] = [];

  put(value: T): void {
    const first = this.#waiting.shift();
    if (first) first.resolve(value);
    else this.#values.push(value);
  }

  take(failure: Error | undefined): Promise<T> {
    if (this.#values.length > 0) return Promise.resolve(this.#values.shift()!);
    if (failure) return Promise.reject(failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  /** somebody waits */
  get waited(): boolean {
    return this.#waiting.length > 0;
  }

  fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

export interface PeerFacts {
  readonly rank: number;
  /** for messages: "rank 2 (machine, process 4711)" */
  readonly name: string;
}

export class Peer {
  facts: PeerFacts;
  /** `performance.now()` of the last bytes from it */
  heard = performance.now();
  /** an error of this process's, told before it left; '' when it left in order */
  farewell: string | undefined;
  failure: RankError | undefined;
  readonly hellos = new Line<string>();
  readonly readies = new Line<boolean>();
  readonly openings = new Line<Opening>();
  readonly #chunks = new Line<{ slot: number; length: number }>();
  readonly #free = new Line<number>();
  readonly #socket: Socket;
  readonly #onFailure: (failure: RankError) => void;
  #outbox: Outbox | undefined;
  #inbox: Inbox | undefined;
  readonly #slots: Uint8Array[] = [];
  readonly #header = new Uint8Array(HEADER);
  readonly #view = new DataView(this.#header.buffer);
  #headerFill = 0;
  #payload: Uint8Array | undefined;
  #payloadFill = 0;

  constructor(socket: Socket, facts: PeerFacts, onFailure: (failure: RankError) => void) {
    this.#socket = socket;
    this.facts = facts;
    this.#onFailure = onFailure;
    for (let slot = 0; slot < SLOTS; slot++) this.#free.put(slot);
    socket.setNoDelay(true);
    socket.on('data', (data) => this.#read(data));
    socket.on('error', (error) => this.lost(error.message));
    socket.on('close', () => this.lost('the connection was closed'));
  }

  /** Exchange shared memory; what cannot be shared goes through the socket. */
  share(outbox: Outbox | undefined, inbox: Inbox | undefined): void {
    this.#outbox = outbox;
    this.#inbox = inbox;
  }

  hello(text: string): void {
    this.#frame(KIND.hello, 0, 0, Buffer.from(text));
  }

  ready(opened: boolean): void {
    this.#frame(KIND.ready, opened ? 1 : 0, 0);
  }

  open(description: string, values: Uint8Array): void {
    const text = Buffer.from(description);
    this.#frame(KIND.open, text.length, 0, Buffer.concat([text, values]));
  }

  beat(): void {
    this.#frame(KIND.beat, 0, 0);
  }

  leave(reason: string): void {
    this.#frame(KIND.leave, 0, 0, Buffer.from(reason));
    this.#socket.end();
    this.#outbox?.close();
    this.#inbox?.close();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Resolves when the bytes may be changed again. */
  async send(bytes: Uint8Array): Promise<void> {
    let written: Promise<void> | undefined;
    for (let start = 0; start < bytes.length; start += CHUNK) {
      const part = bytes.subarray(start, start + CHUNK);
      const slot = await this.#free.take(this.failure);
      if (this.#outbox) {
        this.#outbox.write(slot, part);
        this.#frame(KIND.chunk, slot, part.length);
      } else written = this.#frame(KIND.chunk, slot, part.length, part);
    }
    await written;
  }

  /** Chunks as they come, until `into` is full. */
  async receive(into: Uint8Array): Promise<void> {
    for (let start = 0; start < into.length; ) {
      const { slot, length } = await this.#chunks.take(this.failure);
      if (length > into.length - start) throw new RankError(`${this.facts.name} sent too much`, this.facts.rank);
      const place = into.subarray(start, start + length);
      if (this.#inbox) this.#inbox.read(slot, place);
      else place.set(this.#slots[slot].subarray(0, length));
      this.#frame(KIND.free, slot, 0);
      start += length;
    }
  }

  /** It does not answer any more. */
  lost(why: string): void {
    if (this.failure) return;
    const { name, rank } = this.facts;
    const message =
      this.farewell === undefined
        ? `${name} is gone: ${why}`
        : this.farewell === ''
          ? `${name} has left: it does not join collectives any more`
          : `${name} failed: ${this.farewell}`;
    const failure = new RankError(message, rank);
    this.failure = failure;
    for (const line of [this.hellos, this.readies, this.openings, this.#chunks, this.#free]) line.fail(failure);
    this.#socket.destroy();
    this.#onFailure(failure);
  }

  /** Resolves when the payload has gone to the system. */
  #frame(kind: number, a: number, b: number, payload?: Uint8Array): Promise<void> | undefined {
    if (this.#socket.destroyed || this.#socket.writableEnded) return undefined;
    const header = Buffer.allocUnsafe(HEADER);
    header.writeUInt32LE(kind, 0);
    header.writeUInt32LE(a, 4);
    header.writeUInt32LE(b, 8);
    header.writeUInt32LE(payload?.length ?? 0, 12);
    if (!payload || payload.length === 0) {
      this.#socket.write(header);
      return undefined;
    }
    this.#socket.cork();
    this.#socket.write(header);
    // an error is told by the socket's own event
    const written = new Promise<void>((resolve) => {
      this.#socket.write(payload, () => resolve());
    });
    this.#socket.uncork();
    return written;
  }

  #read(data: Uint8Array): void {
    this.heard = performance.now();
    let at = 0;
    while (at < data.length) {
      if (this.#headerFill < HEADER) {
        const count = Math.min(HEADER - this.#headerFill, data.length - at);
        this.#header.set(data.subarray(at, at + count), this.#headerFill);
        this.#headerFill += count;
        at += count;
        if (this.#headerFill < HEADER) return;
        this.#payload = this.#payloadPlace();
        this.#payloadFill = 0;
        if (this.failure) return;
      }
      const payload = this.#payload!;
      const count = Math.min(payload.length - this.#payloadFill, data.length - at);
      payload.set(data.subarray(at, at + count), this.#payloadFill);
      this.#payloadFill += count;
      at += count;
      if (this.#payloadFill < payload.length) return;
      this.#headerFill = 0;
      this.#take(payload);
    }
  }

  #payloadPlace(): Uint8Array {
    const [kind, slot, bytes] = [0, 4, 12].map((at) => this.#view.getUint32(at, true));
    if (bytes > 2 * CHUNK || (kind === KIND.chunk && slot >= SLOTS)) {
      this.lost('it speaks another protocol');
      return new Uint8Array(0);
    }
    if (kind !== KIND.chunk || bytes === 0) return new Uint8Array(bytes);
    this.#slots[slot] ??= new Uint8Array(CHUNK);
    return this.#slots[slot].subarray(0, bytes);
  }

  #take(payload: Uint8Array): void {
    const [kind, a, b] = [0, 4, 8].map((at) => this.#view.getUint32(at, true));
    const text = (from: number, to?: number) => Buffer.from(payload.subarray(from, to)).toString();
    switch (kind) {
      case KIND.open:
        this.openings.put({ description: text(0, a), values: payload.subarray(a) });
        break;
      case KIND.chunk:
        this.#chunks.put({ slot: a, length: b });
        break;
      case KIND.free:
        this.#free.put(a);
        break;
      case KIND.leave:
        this.farewell = text(0);
        break;
      case KIND.hello:
        this.hellos.put(text(0));
        break;
      case KIND.ready:
        this.readies.put(a === 1);
        break;
      default:
    }
  }
}

export const failureOf = (error: unknown): Failure => ({
  message: (error as Error).message,
  rank: error instanceof RankError ? error.rank : undefined,
});
