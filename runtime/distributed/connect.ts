/** From cards to connections: the rank with the higher number connects to the lower one. */

import type { AddressInfo } from 'node:net';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Card, objectOf } from './card.ts';
import { firstLine } from './first-line.ts';
import { listenAddress, plainAddress } from './meet.ts';
import { type GroupSettings, RankError } from './messages.ts';
import { createOutbox, type Outbox, openInbox } from './outbox.ts';
import type { Peer } from './peer.ts';

const AGAIN = 50;
const LOOPBACK = '127.0.0.1';
/** bytes of a call at most, and ms in which it is to come, and to be answered */
const CALL = { most: 1000, patience: 5000 };
/** what a rank says that knows the caller */
const KNOWN = '.';

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
  const answer = (socket: Socket, line: string): void => {
    const { from, nonce: theirs } = (objectOf(line) ?? {}) as Partial<Call>;
    if (from === undefined || theirs !== nonce) {
      socket.destroy();
      return;
    }
    socket.write(KNOWN);
    const take = waiting.get(from);
    if (take) take(socket);
    else callers.set(from, socket);
  };
  const server: Server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    firstLine(socket, CALL.most, CALL.patience).then(
      (line) => answer(socket, line),
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
    const host = target.machine === own.machine ? LOOPBACK : target.address;
    const socket = createConnection({ host, port: target.port });
    const late = setTimeout(
      () => socket.destroy(new Error('no answer in time')),
      Math.min(until - performance.now(), CALL.patience),
    );
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.once('close', () => reject(new Error('it hung up')));
        socket.once('connect', () =>
          socket.write(`${JSON.stringify({ from: own.rank, nonce: target.nonce } satisfies Call)}\n`),
        );
        // one byte says that we are known; what follows is the protocol's
        socket.once('readable', () => {
          if (String(socket.read(1) ?? '') === KNOWN) resolve();
          else reject(new Error('it hung up, or speaks another protocol'));
        });
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

/** Where this rank reaches the machine of rank 0, and where the others reach this one: as their connections show. */
export function addressesOf(
  rank: number,
  cards: readonly Pick<Card, 'machine'>[],
  sockets: readonly (Pick<Socket, 'localAddress' | 'remoteAddress'> | undefined)[],
): { readonly host: string; readonly address: string } {
  const isHere = (other: number): boolean => cards[other].machine === cards[rank].machine;
  const elsewhere = [...cards.keys()].find((other) => !isHere(other));
  return {
    host: isHere(0) ? LOOPBACK : plainAddress(sockets[0]?.remoteAddress),
    address: elsewhere === undefined ? LOOPBACK : plainAddress(sockets[elsewhere]?.localAddress),
  };
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
