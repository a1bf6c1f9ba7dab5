/**
 * Collectives over the connections between all ranks. Each begins with an opening to every other member, which says
 * what it is: ranks that run different things get an error that says so, not each other's numbers. Few values travel in
 * the opening itself. Of many, each member reduces a part of its own, in the order of ranks, and gives it to all: every
 * rank gets the same bits, run after run.
 */
import type { Request } from './messages.ts';
import { RankError } from './messages.ts';
import { CHUNK } from './outbox.ts';
import type { Opening, Peer } from './peer.ts';
import { type Numbers, numbersOver, reduceInto } from './reduce.ts';

/** bytes of one rank that go with the opening */
const FEW = 2 ** 16;

/** Take part in one collective; the values are used up. @param peers by rank; none for `rank` itself */
export async function takePart(
  request: Request,
  rank: number,
  peers: readonly (Peer | undefined)[],
): Promise<ArrayBuffer> {
  const { operation, members, type, values } = request;
  const bytes = values.byteLength;
  const own = members.indexOf(rank);
  const others = members.filter((member) => member !== rank).map((member) => peers[member]!);
  const mine = new Uint8Array(values);
  const gives = operation !== 'barrier' && (operation !== 'broadcast' || rank === request.from);
  const few = bytes <= FEW;

  const description = describe(request);
  for (const peer of others) peer.open(description, few && gives ? mine : new Uint8Array(0));
  const opened = new Map<number, Opening>();
  await Promise.all(
    others.map(async (peer) => {
      const opening = await peer.openings.take(peer.failure);
      if (opening.description !== description) throw different(peer, opening.description, description);
      opened.set(peer.facts.rank, opening);
    }),
  );
  if (operation === 'barrier') return values;

  if (operation === 'gather') {
    const result = new ArrayBuffer(bytes * members.length);
    const place = (member: number) => new Uint8Array(result, members.indexOf(member) * bytes, bytes);
    place(rank).set(mine);
    if (few) for (const [member, opening] of opened) place(member).set(opening.values);
    else {
      await together([
        ...others.map((peer) => peer.send(mine)),
        ...others.map((peer) => peer.receive(place(peer.facts.rank))),
      ]);
    }
    return result;
  }
  if (operation === 'broadcast') {
    const root = others.find(({ facts }) => facts.rank === request.from);
    if (!root) await together(few ? [] : others.map((peer) => peer.send(mine)));
    else if (few) mine.set(opened.get(request.from)!.values);
    else await root.receive(mine);
    return values;
  }
  if (!few) {
    await reduceParts(request, own, others);
    return values;
  }
  const result = numbersOver(type, new ArrayBuffer(bytes));
  for (const [i, member] of members.entries()) {
    const given = member === rank ? mine : aligned(opened.get(member)!.values);
    const numbers = numbersOver(type, given.buffer, given.byteOffset, bytes / 4);
    if (i === 0) result.set(numbers);
    else reduceInto(operation, result, numbers);
  }
  return result.buffer as ArrayBuffer;
}

/** Each member reduces its part and gives it to the others. */
async function reduceParts({ operation, members, type, values }: Request, own: number, others: Peer[]) {
  const length = values.byteLength / 4;
  const bounds = members.map((_, i) => Math.floor((length * i) / members.length)).concat(length);
  const part = (member: number) => {
    const i = members.indexOf(member);
    return new Uint8Array(values, bounds[i] * 4, (bounds[i + 1] - bounds[i]) * 4);
  };
  const result = numbersOver(type, values, bounds[own] * 4, bounds[own + 1] - bounds[own]);
  // in the order of ranks, wherever it is done: the first member's values, plus the second's, …; chunks stay in the cache
  const reduce = async (): Promise<void> => {
    const chunks = others.map(() => numbersOver(type, new ArrayBuffer(CHUNK)));
    for (let start = 0; start < result.length; start += CHUNK / 4) {
      const here = result.subarray(start, start + CHUNK / 4);
      const received = chunks.map((chunk) => chunk.subarray(0, here.length));
      await together(others.map((peer, i) => peer.receive(bytesOf(received[i]))));
      const [first, ...rest] = [...received.slice(0, own), here, ...received.slice(own)];
      for (const numbers of rest) reduceInto(operation, first, numbers);
      if (own !== 0) here.set(first);
    }
  };
  await together([...others.map((peer) => peer.send(part(peer.facts.rank))), reduce()]);
  await together([
    ...others.map((peer) => peer.send(bytesOf(result))),
    ...others.map((peer) => peer.receive(part(peer.facts.rank))),
  ]);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Numbers): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** All of them, also when one fails: nobody writes into the values after the end. */
async function together(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

/** Typed arrays begin at multiples of 4. */
const aligned = (bytes: Uint8Array): Uint8Array => (bytes.byteOffset % 4 === 0 ? bytes : bytes.slice());

const describe = ({ operation, type, from, members, values }: Request): string => {
  const what = operation === 'broadcast' ? `broadcast from rank ${from}` : operation;
  const size = operation === 'barrier' ? '' : ` of ${values.byteLength / 4} ${type}`;
  return `${what}${size} among ${members.join(' ')}`;
};

const different = ({ facts }: Peer, theirs: string, ours: string): RankError =>
  new RankError(
    `${facts.name} is at another place of the run: it does "${theirs}" where this rank does "${ours}"`,
    facts.rank,
  );
