import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../../../runtime/distributed/free-port.ts';
import { withTorch } from './support.ts';

const script = fileURLToPath(new URL('rank.ts', import.meta.url));

async function runRanks(size: number, place: string): Promise<Record<string, unknown>[]> {
  const ranks = Array.from({ length: size }, (_, rank) =>
    promisify(execFile)(process.execPath, ['--import=tsx', script, String(rank), String(size), place]),
  );
  return (await Promise.all(ranks)).map(({ stdout }) => JSON.parse(stdout));
}

withTorch('Gloo collectives between processes', () => {
  const expected = (rank: number) => ({
    sum: [
      [3, 3],
      [6, -3],
    ],
    mean: [
      [1, 2],
      [1, -1],
    ],
    max: 2,
    gathered: [
      [0, 1],
      [2, 0],
      [1, 1],
      [2, -1],
      [2, 1],
      [2, -2],
    ],
    numbers: [0, 10, 20],
    from1: [
      [1, 1],
      [2, -1],
    ],
    unchanged: [
      [rank, 1],
      [2, rank === 0 ? 0 : -rank],
    ],
    made: 9, // six results and three inputs of theirs
    refused: 'a collective takes float32 or int32 tensors, not bool: cast it first',
  });

  it('three ranks meet at a port', async () => {
    const results = await runRanks(3, String(await freePort()));
    assert.deepEqual(results, [0, 1, 2].map(expected));
  }).timeout(120_000);

  it('three ranks meet in a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gloo-'));
    try {
      assert.deepEqual(await runRanks(3, join(folder, 'meet')), [0, 1, 2].map(expected));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }).timeout(120_000);
});
