/**
 * The communication thread of a rank. It owns the connections to the other ranks and does the collectives that the main
 * thread asks for, one after another; signs of life go out whatever the main thread is busy with.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { type Card, cardIn } from './card.ts';
import { takePart } from './collectives.ts';
import { addressesOf, call, greet, listen } from './connect.ts';
import { leaveMeeting, meet, ownAddress } from './meet.ts';
import { type FromThread, RankError, type Request, type ThreadStart, type ToThread } from './messages.ts';
import { failureOf, Peer } from './peer.ts';

const { settings, port: wakePort } = workerData as ThreadStart;
const { rank, size } = settings;
const peers: (Peer | undefined)[] = new Array(size).fill(undefined);
let beats: NodeJS.Timeout | undefined;
const tell = (message: FromThread): void => parentPort!.postMessage(message);

function machineName(): string {
  let boot = '';
  try {
    boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // elsewhere the host name has to do
  }
  return `${hostname()} ${boot}`;
}

async function connectAll(): Promise<void> {
  const until = performance.now() + settings.joinTimeout * 1000;
  const nonce = randomBytes(12).toString('hex');
  const listener = await listen(settings, nonce);
  const own: Card = {
    rank,
    size,
    port: listener.port,
    address: ownAddress(),
    machine: machineName(),
    host: hostname(),
    pid: process.pid,
    nonce,
  };
  const cards = await meet(own, settings);
  const { meeting } = settings;
  const cardOf = async (other: number): Promise<Card> =>
    (meeting.kind === 'file' ? await cardIn(meeting.folder, other, size) : undefined) ?? cards[other];
  const late = setTimeout(() => {
    const silent = peers.findIndex((peer, other) => other !== rank && !peer);
    failed(new RankError(`rank ${silent} did not connect within ${settings.joinTimeout} s`, silent));
  }, until - performance.now());
  const found: Card[] = [...cards];
  const sockets: Socket[] = [];
  const nameOf = ({ rank: other, host, pid }: Card): string => `rank ${other} (${host}, process ${pid})`;
  await Promise.all(
    cards.map(async (card, other) => {
      if (other === rank) return;
      const socket = other < rank ? await call(own, () => cardOf(other), until) : await listener.accept(other);
      sockets[other] = socket;
      const peer = new Peer(socket, { rank: other, name: nameOf(card) }, (failure) =>
        tell({ kind: 'lost', ...failureOf(failure) }),
      );
      peers[other] = peer;
      found[other] = await greet(peer, own, settings.sharedMemory);
      peer.facts = { rank: other, name: nameOf(found[other]) };
    }),
  );
  clearTimeout(late);
  listener.close();
  beats = setInterval(beat, (settings.timeout * 1000) / 6);
  // all are connected to all: cards are not needed any more
  await takePart(request('barrier'), rank, peers);
  await leaveMeeting(own, settings);
  tell({
    kind: 'joined',
    machines: new Set(found.map(({ machine }) => machine)).size,
    localRank: found.filter((card) => card.machine === own.machine && card.rank < rank).length,
    ...addressesOf(rank, found, sockets),
  });
}

const request = (operation: Request['operation']): Request => ({
  kind: 'collective',
  id: -1,
  operation,
  type: 'int32',
  values: new ArrayBuffer(0),
  members: Array.from({ length: size }, (_, other) => other),
  from: 0,
});

/** A sign of life for the others; those without one for too long are dead. */
function beat(): void {
  for (const peer of peers) {
    if (!peer || peer.failure) continue;
    peer.beat();
    const silence = performance.now() - peer.heard;
    if (silence > settings.timeout * 1000) peer.lost(`no sign of life for ${Math.round(silence / 1000)} s`);
  }
}

/** A rank that lives, but never joins: it waits for something else, or its work is different. */
async function withPatience(work: Request): Promise<ArrayBuffer> {
  let impatient: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_, reject) => {
    impatient = setTimeout(() => {
      const asleep = work.members.filter((member) => member !== rank && peers[member]!.openings.waited);
      const who = asleep.length > 0 ? asleep.map((member) => peers[member]!.facts.name).join(', ') : 'another rank';
      reject(new RankError(`${who} did not join ${work.operation} within ${settings.patience} s`, asleep[0]));
    }, settings.patience * 1000);
  });
  try {
    return await Promise.race([takePart(work, rank, peers), patience]);
  } finally {
    clearTimeout(impatient);
  }
}

/** ms */
const FAREWELL = 200;

let broken: Error | undefined;
let queue: Promise<void> = Promise.resolve();

async function serve(work: Request): Promise<void> {
  let message: Extract<FromThread, { kind: 'done' }> = { kind: 'done', id: work.id };
  try {
    if (broken) throw broken;
    message = { ...message, result: await withPatience(work) };
  } catch (error) {
    // the ranks are out of step from here on: nothing that follows could be right
    broken ??= error as Error;
    message = { ...message, failure: failureOf(error) };
  }
  const given = message.result ? [message.result] : [];
  if (!work.wake) parentPort!.postMessage(message, given);
  else {
    wakePort.postMessage(message, given);
    Atomics.store(work.wake, 0, 1);
    Atomics.notify(work.wake, 0);
  }
}

function failed(error: unknown): void {
  tell({ kind: 'failed', ...failureOf(error) });
  leave((error as Error).message);
}

function leave(reason: string): void {
  clearInterval(beats);
  for (const peer of peers) peer?.leave(reason);
  parentPort!.close();
  wakePort.close();
  // the words of farewell go out; then nothing holds the thread, not even a rank that does not hang up
  setTimeout(() => process.exit(), FAREWELL);
}

parentPort!.on('message', (message: ToThread) => {
  if (message.kind === 'collective') queue = queue.then(() => serve(message));
  else queue = queue.then(() => leave(message.reason));
});
connectAll().catch(failed);
