/** Ranks find each other: afterwards each knows where all others listen. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GroupSettings, Meeting } from './messages.ts';
import { RankError } from './messages.ts';

/** Where a rank listens for the others. */
export interface Card {
  readonly rank: number;
  readonly size: number;
  readonly port: number;
  readonly address: string;
  /** host name and boot: equal on one machine */
  readonly machine: string;
  readonly host: string;
  readonly pid: number;
  /** random: a card of an earlier run is not taken for this one's */
  readonly nonce: string;
}

/** ms between tries */
const AGAIN = 50;

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
  const visitors: Socket[] = [];
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
      server.on('connection', (socket) => {
        visitors.push(socket);
        readLine(socket).then(
          (line) => {
            const card = JSON.parse(line) as Card;
            const refusal = refuse(card, cards, size);
            if (refusal !== undefined) {
              socket.end(`${JSON.stringify({ refusal })}\n`);
              return;
            }
            const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
            // a rank of this machine comes over loopback; the others reach it where they reach this one
            cards.set(card.rank, { ...card, address: isLoopback(address) ? host : address });
            if (cards.size < size) return;
            clearTimeout(late);
            const all = inOrder(cards);
            for (const visitor of visitors) visitor.end(`${JSON.stringify({ cards: all })}\n`);
            resolve(all);
          },
          () => socket.destroy(),
        );
      });
      server.listen(port, isLoopback(host) ? '127.0.0.1' : undefined);
    });
  } finally {
    server.close();
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
  { joinTimeout }: GroupSettings,
  until: number,
): Promise<readonly Card[]> {
  let why = 'nobody listened there';
  while (performance.now() < until) {
    const socket = createConnection({ host, port });
    const late = setTimeout(() => socket.destroy(new Error('no answer in time')), until - performance.now());
    try {
      const answer = await new Promise<string>((resolve, reject) => {
        socket.once('error', reject);
        socket.once('connect', () => socket.write(`${JSON.stringify(own)}\n`));
        readLine(socket).then(resolve, reject);
      });
      const { cards, refusal } = JSON.parse(answer) as { cards?: Card[]; refusal?: string };
      if (refusal !== undefined) throw new RankError(refusal, 0);
      return cards!;
    } catch (error) {
      if (error instanceof RankError) throw error;
      why = (error as Error).message;
    } finally {
      clearTimeout(late);
      socket.destroy();
    }
    await sleep(AGAIN);
  }
  throw new RankError(`rank ${own.rank} did not meet the others at ${host}:${port} within ${joinTimeout} s: ${why}`, 0);
}

function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (part) => {
      text += part;
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
      else if (text.length > 2 ** 22) reject(new Error('it speaks another protocol'));
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the connection was closed')));
  });
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
      const rank = /^rank-(\d+)$/.exec(name)?.[1];
      if (rank === undefined) continue;
      const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
      if (text === undefined) continue;
      const card = JSON.parse(text) as Card;
      if (card.size === size && card.rank < size) cards.set(card.rank, card);
    }
    if (cards.size === size) return inOrder(cards);
    if (performance.now() > until) throw absent(missing(cards, size), folder, joinTimeout);
    await sleep(AGAIN);
  }
}

const cardPath = (folder: string, rank: number): string => join(folder, `rank-${rank}`);

/** When all are connected the own card is not needed any more. */
export async function leaveMeeting(own: Card, { meeting }: GroupSettings): Promise<void> {
  if (meeting.kind === 'file') await rm(cardPath(meeting.folder, own.rank), { force: true });
}
