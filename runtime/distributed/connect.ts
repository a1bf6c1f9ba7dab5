/** From cards to connections: the rank with the higher number connects to the lower one. */

import type { AddressInfo } from 'node:net';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Card, listenAddress } from './meet.ts';
import { type GroupSettings, RankError } from './messages.ts';
import { createOutbox, type Outbox, openInbox } from './outbox.ts';
import type { Peer } from './peer.ts';

const AGAIN = 50;
/** first line of a connection: who calls whom */
interface Call {
  readonly from: number;
  readonly nonce: string;
}

export interface Listener {
  readonly port: number;
  /** connections from higher ranks; resolved by their call */
  accept(rank: number): Promise<Socket>;
  close(): void;
}

/** Listen at a free port; callers with another nonce than ours are strangers. */
export async function listen(settings: GroupSettings, nonce: string): Promise<Listener> {
  const callers = new Map<number, Socket>();
  const waiting = new Map<number, (socket: Socket) => void>();
  const server: Server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    firstLine(socket).then(
      (line) => {
        const { from, nonce: theirs } = JSON.parse(line) as Call;
        if (theirs !== nonce) {
          socket.destroy();
          return;
        }
        socket.write('.');
        const take = waiting.get(from);
        if (take) take(socket);
        else callers.set(from, socket);
      },
      () => socket.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, listenAddress(settings.meeting), resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    accept(rank) {
      const come = callers.get(rank);
      if (come) return Promise.resolve(come);
      return new Promise((resolve) => {
        waiting.set(rank, resolve);
      });
    },
    close: () => server.close(),
  };
}

/** Connect to a lower rank. @param card its card, read anew before each try: an old one may lie about */
export async function call(own: Card, card: () => Promise<Card>, until: number): Promise<Socket> {
  let why = '';
  let target = await card();
  while (performance.now() < until) {
    const host = target.machine === own.machine ? '127.0.0.1' : target.address;
    const socket = createConnection({ host, port: target.port });
    const late = setTimeout(
      () => socket.destroy(new Error('no answer in time')),
      Math.min(until - performance.now(), 5000),
    );
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.once('close', () => reject(new Error('it hung up')));
        socket.once('connect', () =>
          socket.write(`${JSON.stringify({ from: own.rank, nonce: target.nonce } satisfies Call)}\n`),
        );
        // one byte says that we are known; what follows is the protocol's
        socket.once('readable', () => (socket.read(1) ? resolve() : reject(new Error('it hung up'))));
      });
      socket.removeAllListeners();
      return socket;
    } catch (error) {
      why = (error as Error).message;
      socket.destroy();
    } finally {
      clearTimeout(late);
    }
    await sleep(AGAIN);
    target = await card();
  }
  throw new RankError(
    `rank ${own.rank} could not connect to rank ${target.rank} (${target.host}, port ${target.port}): ${why}`,
    target.rank,
  );
}

/** Reads to the first newline and no further. */
function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const onReadable = (): void => {
      for (let byte = socket.read(1); byte !== null; byte = socket.read(1)) {
        if (byte[0] === 10) {
          socket.off('readable', onReadable);
          resolve(text);
          return;
        }
        text += String.fromCharCode(byte[0]);
        if (text.length > 1000) reject(new Error('it speaks another protocol'));
      }
    };
    socket.on('readable', onReadable);
    socket.once('close', () => reject(new Error('it hung up')));
  });
}

/** Learn who answers (a card in a folder may be an old one), and share memory where both are on one machine. */
export async function greet(peer: Peer, own: Card, sharedMemory: boolean): Promise<Card> {
  peer.hello(JSON.stringify(own));
  const card = JSON.parse(await peer.hellos.take(peer.failure)) as Card;
  const outbox: Outbox | undefined = sharedMemory && card.machine === own.machine ? createOutbox() : undefined;
  try {
    peer.hello(outbox?.path ?? '');
    const path = await peer.hellos.take(peer.failure);
    const inbox = path === '' ? undefined : openInbox(path);
    peer.ready(inbox !== undefined);
    const taken = await peer.readies.take(peer.failure);
    if (!taken) outbox?.close();
    peer.share(taken ? outbox : undefined, inbox);
  } finally {
    outbox?.unlink();
  }
  return card;
}
