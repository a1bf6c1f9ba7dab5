import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { launchRanks } from '../../runtime/distributed/launcher.ts';
import { withBackend } from '../tensor/availability.ts';
import { launch, type RankEnd } from './fixtures/launch.ts';

const fixture = './fixtures/tensor-rank.ts';
const collectives = (rank: number) => ({
  sum: [1, 2],
  numbers: {
    mean: [0.5, 1],
    max: [1, 0],
    gathered: [0, 7, 1, 7],
    from1: [1, 1],
    own: [rank, 1],
    refused: 'the mean of int32 values is not defined: cast them first',
  },
});

for (const device of ['cpu', 'torch']) {
  /** Rank 1 of two stands still; it is killed when rank 0 has ended, or ought to have. */
  const withSilent = (task: string): Promise<readonly RankEnd[]> =>
    launch('./tensor-rank.ts', 2, [device, task, '4'], {
      onStart([first, silent]) {
        const late = setTimeout(() => first.kill('SIGKILL'), 60_000);
        first.once('exit', () => {
          clearTimeout(late);
          silent.kill('SIGKILL');
        });
      },
    });

  withBackend(device, `ranks with the backend ${device}`, () => {
    for (const end of ['drain', 'exit']) {
      it(`a rank that stands still is named, and the other ends by itself (${end})`, async () => {
        const [{ code, stdout, stderr }] = await withSilent(end);
        assert.equal(code, 1, stderr || 'it did not end');
        const { failure, left } = JSON.parse(stdout);
        assert.match(failure, /^rank 1 .* is gone: no sign of life for \d+ s/);
        assert.equal(left, 0, 'the tensors of what failed are released');
      }).timeout(120_000);
    }

    it('a rank that is busy is waited for; tensors and numbers of host memory are exchanged', async () => {
      const ends = await launch('./tensor-rank.ts', 2, [device, 'slow', '3']);
      for (const [rank, { code, stdout, stderr }] of ends.entries()) {
        assert.equal(code, 0, stderr);
        assert.deepEqual(JSON.parse(stdout), collectives(rank));
      }
    }).timeout(120_000);

    it('a group with a rank that stands still is ended by the launcher, and begins again', async () => {
      const said: string[] = [];
      const end = await launchRanks({
        command: (again) => [
          '--import=tsx',
          fileURLToPath(new URL(fixture, import.meta.url)),
          device,
          ...(again ? ['at once', '60'] : ['drain', '4']),
        ],
        output: 'hidden',
        ranks: 2,
        nodes: 1,
        nodeRank: 0,
        restarts: 1,
        onStop: () => () => undefined,
        say: (text) => said.push(text),
      });
      assert.deepEqual(end, { code: 0 });
      assert.match(said[0], /^pipe: rank 1 failed: rank 1 .* is gone: no sign of life for \d+ s$/);
      assert.equal(said[1], 'the ranks begin again from the last checkpoint (1 of 1)');
    }).timeout(180_000);
  });
}
