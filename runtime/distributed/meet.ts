/** Ranks find each other: afterwards each knows where all others listen. */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Card, cardIn, cardPath, objectOf, readCard } from './card.ts';
import { firstLine } from './first-line.ts';
import type { GroupSettings, Meeting } from './messages.ts';
import { RankError } from './messages.ts';

/** ms between tries */
const AGAIN = 50;
/** bytes of one card at most, and ms in which a visitor has to show it: others than ranks may come */
const CARD = { most: 2 ** 12, patience: 10_000 };
/** bytes of all cards at most */
const ALL = 2 ** 22;

/** IPv4 as such where it came over a socket of IPv6 */
export const plainAddress = (address = ''): string => address.replace(/^::ffff:/, '');

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

/** The interface to listen on. */
export const listenAddress = (meeting: Meeting): string | undefined =>
  meeting.kind === 'tcp' && isLoopback(meeting.host) ? '127.0.0.1' : undefined;

/** First address of this machine that others may reach. */
export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

/** Cards of all ranks, in order. @throws RankError that names the ranks that did not come */
export function meet(own: Card, settings: GroupSettings): Promise<readonly Card[]> {
  const until = performance.now() + settings.joinTimeout * 1000;
  const { meeting } = settings;
  if (meeting.kind === 'file') return meetInFolder(own, meeting.folder, settings, until);
  return own.rank === 0 ? hostMeeting(own, meeting, settings, until) : visit(own, meeting, settings, until);
}

const missing = (cards: ReadonlyMap<number, unknown>, size: number): number[] =>
  Array.from({ length: size }, (_, rank) => rank).filter((rank) => !cards.has(rank));

const absent = (ranks: readonly number[], place: string, seconds: number): RankError =>
  new RankError(
    `${ranks.length === 1 ? 'rank' : 'ranks'} ${ranks.join(', ')} did not come to ${place} within ${seconds} s: see whether they were started, and whether this machine can be reached from theirs`,
    ranks[0],
  );

async function hostMeeting(
  own: Card,
  { host, port }: Extract<Meeting, { kind: 'tcp' }>,
  { size, joinTimeout }: GroupSettings,
  until: number,
): Promise<readonly Card[]> {
  const cards = new Map<number, Card>([[0, { ...own, address: host }]]);
  const guests = new Set<Socket>();
  const strangers = new Set<Socket>();
  const server = createServer();
  try {
    return await new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(absent(missing(cards, size), `${host}:${port}`, joinTimeout)),
        until - performance.now(),
      );
      server.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(late);
        const taken = error.code === 'EADDRINUSE';
        reject(
          new Error(
            `rank 0 cannot listen at ${host}:${port}: ${taken ? 'the port is taken; choose another' : error.message}`,
          ),
        );
      });
      const admit = (socket: Socket, card: Card): void => {
        const refusal = refuse(card, cards, size);
        if (refusal !== undefined) {
          socket.end(`${JSON.stringify({ refusal })}\n`);
          return;
        }
        const address = plainAddress(socket.remoteAddress);
        // a rank of this machine comes over loopback; the others reach it where they reach this one
        cards.set(card.rank, { ...card, address: isLoopback(address) ? host : address });
        guests.add(socket);
        // who goes before all have come may come again
        socket.once('close', () => cards.delete(card.rank)).resume();
        if (cards.size < size) return;
        clearTimeout(late);
        const all = inOrder(cards);
        for (const guest of guests) guest.end(`${JSON.stringify({ cards: all })}\n`);
        resolve(all);
      };
      server.on('connection', (socket) => {
        strangers.add(socket);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          strangers.delete(socket);
          guests.delete(socket);
        });
        firstLine(socket, CARD.most, CARD.patience).then(
          (line) => {
            const card = readCard(line);
            if (!card) return socket.destroy();
            strangers.delete(socket);
            return admit(socket, card);
          },
          () => socket.destroy(),
        );
      });
      server.listen(port, isLoopback(host) ? '127.0.0.1' : undefined);
    });
  } finally {
    server.close();
    for (const socket of strangers) socket.destroy();
  }
}

const inOrder = (cards: ReadonlyMap<number, Card>): Card[] => [...cards.values()].sort((a, b) => a.rank - b.rank);

function refuse(card: Card, cards: ReadonlyMap<number, Card>, size: number): string | undefined {
  if (card.size !== size) return `rank ${card.rank} was started for ${card.size} ranks, rank 0 for ${size}`;
  if (cards.has(card.rank)) return `there is a rank ${card.rank} already (${cards.get(card.rank)!.host})`;
  return undefined;
}

async function visit(
  own: Card,
  { host, port }: Extract<Meeting, { kind: 'tcp' }>,
  { size, joinTimeout }: GroupSettings,
  until: number,
): Promise<readonly Card[]> {
  let why = 'nobody listened there';
  while (performance.now() < until) {
    const socket = createConnection({ host, port });
    socket.once('connect', () => socket.write(`${JSON.stringify(own)}\n`));
    socket.on('error', () => socket.destroy());
    try {
      const answer = objectOf(await firstLine(socket, ALL, until - performance.now()));
      if (typeof answer?.refusal === 'string') throw new RankError(answer.refusal, 0);
      const cards = Array.isArray(answer?.cards) ? answer.cards.map((card) => readCard(JSON.stringify(card))) : [];
      if (cards.length === size && cards.every((card, rank) => card?.rank === rank)) return cards as Card[];
      why = 'what listens there is no rank of this run';
    } catch (error) {
      if (error instanceof RankError) throw error;
      why = (error as Error).message;
    } finally {
      socket.destroy();
    }
    await sleep(AGAIN);
  }
  throw new RankError(`rank ${own.rank} did not meet the others at ${host}:${port} within ${joinTimeout} s: ${why}`, 0);
}

async function meetInFolder(
  own: Card,
  folder: string,
  { size, joinTimeout }: GroupSettings,
  until: number,
): Promise<readonly Card[]> {
  await mkdir(folder, { recursive: true });
  const path = cardPath(folder, own.rank);
  await writeFile(`${path}.${own.nonce}`, JSON.stringify(own));
  await rename(`${path}.${own.nonce}`, path);
  const cards = new Map<number, Card>();
  for (;;) {
    for (const name of await readdir(folder)) {
      const rank = Number(/^rank-(\d+)$/.exec(name)?.[1]);
      const card = rank < size ? await cardIn(folder, rank, size) : undefined;
      if (card) cards.set(rank, card);
    }
    if (cards.size === size) return inOrder(cards);
    if (performance.now() > until) throw absent(missing(cards, size), folder, joinTimeout);
    await sleep(AGAIN);
  }
}

/** When all are connected the own card is not needed any more. */
export async function leaveMeeting(own: Card, { meeting }: GroupSettings): Promise<void> {
  if (meeting.kind === 'file') await rm(cardPath(meeting.folder, own.rank), { force: true });
}
