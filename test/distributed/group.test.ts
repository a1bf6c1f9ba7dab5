import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LaunchOptions, launch } from './fixtures/launch.ts';

async function results(size: number, args: readonly string[], options: LaunchOptions = {}): Promise<any[]> {
  const ends = await launch('./group-rank.ts', size, args, options);
  for (const { code, stderr } of ends) assert.equal(code, 0, stderr);
  return ends.map(({ stdout }) => JSON.parse(stdout));
}

function check(all: any[]): void {
  const size = all.length;
  const ranks = [...all.keys()];
  const total = (size * (size + 1)) / 2;
  for (const [rank, one] of all.entries()) {
    assert.deepEqual(one.few, [total, size - total]);
    assert.deepEqual(one.largest, [size - 1, 0]);
    assert.deepEqual(
      one.gathered,
      ranks.flatMap((r) => [r * 10, r]),
    );
    assert.deepEqual(one.last, [size - 1]);
    assert.equal(one.many, true);
    assert.deepEqual(
      one.now,
      ranks.flatMap((r) => [r, 0.5]),
    );
    if (size % 2 === 0) assert.deepEqual(one.paired, [rank - (rank % 2), rank - (rank % 2) + 1]);
    assert.equal(one.turned, true, 'the event loop stood still');
    assert.deepEqual([one.machines, one.localRank], [1, rank]);
    // the same bits on every rank
    assert.equal(one.sum, all[0].sum);
    assert.equal(one.wide, all[0].wide);
  }
}

describe('a group of processes', function () {
  this.timeout(180_000);

  it('four ranks meet at a port; sums are the same bits over memory and over sockets', async () => {
    const memory = await results(4, ['all', 'memory']);
    check(memory);
    const sockets = await results(4, ['all', 'sockets']);
    check(sockets);
    assert.equal(sockets[0].sum, memory[0].sum);
  });

  it('two ranks meet in a folder where an earlier group ended badly, and leave nothing there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pipe-meet-'));
    try {
      const env = { PIPE_RENDEZVOUS: `file://${folder}` };
      const before = readdirSync('/dev/shm').length;
      // cards that an earlier group left: nobody listens there, or a stranger does
      for (const rank of [0, 1]) {
        const card = {
          rank,
          size: 2,
          port: 9 + rank,
          address: '127.0.0.1',
          machine: 'm',
          host: 'h',
          pid: 1,
          nonce: 'old',
        };
        writeFileSync(join(folder, `rank-${rank}`), JSON.stringify(card));
      }
      check(await results(2, ['all', 'memory'], { env }));
      assert.deepEqual(readdirSync(folder), []);
      assert.ok(readdirSync('/dev/shm').length <= before);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('a killed rank is named at once, in collectives that wait and in later ones', async () => {
    const ends = await launch('./group-rank.ts', 3, ['silent'], {
      onOutput: (rank, _text, children) => {
        if (rank === 1) children[1].kill('SIGKILL');
      },
    });
    for (const rank of [0, 2]) {
      const { failure, again } = JSON.parse(ends[rank].stdout);
      assert.match(failure, /^rank 1 \(.*process \d+\) is gone/);
      assert.equal(again, failure);
    }
  });

  it('a rank that stands still is given up after the limit, also by one that sleeps in a collective', async () => {
    for (const task of ['silent', 'asleep']) {
      const ends = await launch('./group-rank.ts', 2, [task], {
        onOutput: (rank, _text, children) => {
          if (rank !== 1) return;
          children[1].kill('SIGSTOP');
          setTimeout(() => children[1].kill('SIGKILL'), 30_000).unref();
          children[0].once('exit', () => children[1].kill('SIGKILL'));
        },
      });
      assert.match(JSON.parse(ends[0].stdout).failure, /^rank 1 .* is gone: no sign of life for \d+ s/);
    }
  });

  it('a rank that lives but does not join is given up after the patience', async () => {
    const ends = await launch('./group-rank.ts', 2, ['absent']);
    assert.match(JSON.parse(ends[0].stdout).failure, /^rank 1 .* did not join barrier within 3 s/);
  });

  it('ranks that do different things are told so', async () => {
    const [zero, one] = await results(2, ['different']);
    assert.match(
      zero.failure,
      /^rank 1 .* it does "barrier among 0 1" where this rank does "sum of 1 float32 among 0 1"/,
    );
    assert.match(
      one.failure,
      /^rank 0 .* it does "sum of 1 float32 among 0 1" where this rank does "barrier among 0 1"/,
    );
  });

  it('a rank that fails tells the others why', async () => {
    const ends = await launch('./group-rank.ts', 2, ['reason']);
    assert.match(JSON.parse(ends[0].stdout).failure, /^rank 1 .* failed: the disk is full/);
  });
});
