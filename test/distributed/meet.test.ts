import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Card, readCard } from '../../runtime/distributed/card.ts';
import { addressesOf, call, listen } from '../../runtime/distributed/connect.ts';
import { freePort } from '../../runtime/distributed/free-port.ts';
import { meet } from '../../runtime/distributed/meet.ts';
import type { GroupSettings, Meeting } from '../../runtime/distributed/messages.ts';
import { launch } from './fixtures/launch.ts';

const card = (rank: number, more: Partial<Card> = {}): Card => ({
  ...{ rank, size: 2, port: 1000 + rank, address: '10.0.0.1', machine: 'm', host: 'h', pid: 1, nonce: 'n' },
  ...more,
});

const settings = (rank: number, meeting: Meeting): GroupSettings => ({
  ...{ rank, size: 2, meeting, timeout: 30, joinTimeout: 30, patience: 30, sharedMemory: true },
});

/** What others than ranks say, or ranks of another run. */
const junk: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  '\0\xff\n',
  '\n',
  'null\n',
  '[1]\n',
  '{}\n',
  `${JSON.stringify(card(2))}\n`,
  `${JSON.stringify(card(-1))}\n`,
  `${JSON.stringify(card(0.5))}\n`,
  `${JSON.stringify({ ...card(1), port: '22' })}\n`,
  `${JSON.stringify(card(1, { port: 65536 }))}\n`,
  'x'.repeat(2 ** 20), // a line without an end
];

/** Resolves when the other has hung up; tells what it said. */
function heard(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (data) => {
    text += data;
  });
  socket.on('error', () => undefined); // what was not read is refused
  return new Promise((resolve) => {
    socket.on('close', () => resolve(text));
  });
}

/** Connects, as soon as somebody listens, and says something. */
async function say(port: number, text: string, signal?: AbortSignal): Promise<Socket> {
  for (;;) {
    signal?.throwIfAborted();
    const socket = createConnection({ host: '127.0.0.1', port });
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    if (connected) {
      socket.write(text);
      return socket;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('a card', () => {
  it('is read as it was written; what is none is not', () => {
    assert.deepEqual(readCard(JSON.stringify(card(1))), card(1));
    for (const text of junk) assert.equal(readCard(text), undefined, text);
  });
});

describe('the meeting of ranks', function () {
  this.timeout(60_000);

  it('goes on when strangers come to it', async () => {
    const port = await freePort();
    const meeting = { kind: 'tcp', host: '127.0.0.1', port } as const;
    const met = meet(card(0), settings(0, meeting));
    const silent = heard(await say(port, ''));
    for (const text of junk) assert.equal(await heard(await say(port, text)), '', JSON.stringify(text.slice(0, 50)));
    const refused = async (one: Card) => JSON.parse(await heard(await say(port, `${JSON.stringify(one)}\n`))).refusal;
    assert.match(await refused(card(1, { size: 3 })), /rank 1 was started for 3 ranks, rank 0 for 2/);
    assert.match(await refused(card(0)), /there is a rank 0 already/);
    const all = await meet(card(1), settings(1, meeting));
    assert.deepEqual(
      all.map(({ rank }) => rank),
      [0, 1],
    );
    assert.deepEqual(await met, all);
    assert.equal(await silent, '', 'who says nothing is not kept');
  });

  it('has room again for a rank that went before all had come', async () => {
    const port = await freePort();
    const three = { ...settings(0, { kind: 'tcp', host: '127.0.0.1', port }), size: 3 };
    const met = meet(card(0, { size: 3 }), three);
    const first = await say(port, `${JSON.stringify(card(1, { size: 3, nonce: 'old' }))}\n`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    first.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await Promise.all([1, 2].map((rank) => meet(card(rank, { size: 3 }), { ...three, rank })));
    assert.deepEqual(
      (await met).map(({ nonce }) => nonce),
      ['n', 'n', 'n'],
    );
  });

  it('in a folder passes over what is no card', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pipe-meet-'));
    try {
      for (const [name, text] of [
        ['rank-1', '{"rank": 1'],
        ['rank-7', JSON.stringify(card(1))],
        ['notes', 'x'],
      ]) {
        writeFileSync(join(folder, name), text);
      }
      const met = meet(card(0), settings(0, { kind: 'file', folder }));
      await new Promise((resolve) => setTimeout(resolve, 200));
      const all = await meet(card(1), settings(1, { kind: 'file', folder }));
      assert.deepEqual(all, [card(0), card(1)]);
      assert.deepEqual(await met, all);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('of processes ends well with strangers at its port', async () => {
    const port = await freePort();
    let strangers = 0;
    const over = new AbortController();
    const bother = async (): Promise<never> => {
      for (;;) {
        const socket = await say(port, junk[strangers % junk.length], over.signal);
        strangers++;
        await heard(socket);
      }
    };
    const bothering = assert.rejects(bother(), { name: 'AbortError' });
    const ends = await launch('./group-rank.ts', 2, ['all', 'memory'], { env: { MASTER_PORT: String(port) } });
    over.abort();
    await bothering;
    for (const { code, stderr } of ends) assert.equal(code, 0, stderr);
    assert.ok(strangers > 0);
  });
});

describe('the port of a rank', () => {
  it('is open to ranks that know its nonce, and to nobody else', async () => {
    const listener = await listen(settings(0, { kind: 'tcp', host: 'localhost', port: 1 }), 'secret');
    try {
      const lines = ['{"from": 1, "nonce": "wrong"}\n', '{"nonce": "secret"}\n', 'x'.repeat(10_000)];
      for (const text of [...junk, ...lines]) assert.equal(await heard(await say(listener.port, text)), '');
      const target = card(0, { port: listener.port, nonce: 'secret' });
      const socket = await call(card(1), async () => target, performance.now() + 10_000);
      const accepted = await listener.accept(1);
      socket.destroy();
      accepted.destroy();
    } finally {
      listener.close();
    }
  }).timeout(30_000);
});

describe('the addresses of ranks', () => {
  const cards = ['a', 'a', 'b', 'b'].map((machine) => ({ machine }));
  const socket = (localAddress: string, remoteAddress: string) => ({ localAddress, remoteAddress });
  const local = socket('127.0.0.1', '127.0.0.1');

  it('are those of their connections, whatever the names of the machines stand for', () => {
    const out = socket('::ffff:10.0.0.1', '::ffff:10.0.0.2');
    const back = socket('10.0.0.2', '10.0.0.1');
    assert.deepEqual(addressesOf(0, cards, [undefined, local, out, out]), { host: '127.0.0.1', address: '10.0.0.1' });
    assert.deepEqual(addressesOf(1, cards, [local, undefined, out, out]), { host: '127.0.0.1', address: '10.0.0.1' });
    assert.deepEqual(addressesOf(3, cards, [back, back, local]), { host: '10.0.0.1', address: '10.0.0.2' });
  });

  it('on one machine stay on it', () => {
    const one = cards.slice(0, 2);
    assert.deepEqual(addressesOf(1, one, [local]), { host: '127.0.0.1', address: '127.0.0.1' });
  });
});
