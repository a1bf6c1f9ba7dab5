import assert from 'node:assert/strict';
import { type LaunchEnd, launchRanks } from '../../runtime/distributed/launcher.ts';
import { culprit } from '../../runtime/distributed/rank-end.ts';

/** Two ranks that run this code of JavaScript. */
const launchCode = (code: string): Promise<LaunchEnd> =>
  launchRanks({
    command: () => ['--eval', code],
    output: 'hidden',
    ranks: 2,
    nodes: 1,
    nodeRank: 0,
    restarts: 0,
    onStop: () => () => undefined,
    say: () => undefined,
  });

describe('the launcher', () => {
  it('ends ranks that do not end after one has told of its failure, itself among them', async () => {
    const { code, failed } = await launchCode(`
      setInterval(() => {}, 1000);
      if (process.env.RANK === '1') process.send({ message: 'the disk is full' });
    `);
    assert.deepEqual([code, failed?.rank, failed?.message], [1, 1, 'the disk is full']);
  }).timeout(60_000);
});

describe('the rank to blame', () => {
  const gone = { code: 1, message: 'rank 1 is gone: no sign of life for 30 s', because: 1 };
  const ended = { code: null, message: 'it was killed', ended: true };

  it('is the first that ended by itself, not one that was left alone', () => {
    const ends = [
      { ...gone, rank: 0 },
      { rank: 1, code: null, message: 'killed' },
      { rank: 2, code: 0, message: '' },
    ];
    assert.equal(culprit(ends)?.rank, 1);
    assert.equal(culprit(ends.slice(0, 1))?.rank, 0);
    assert.equal(culprit(ends.slice(2)), undefined);
  });

  it('is one that had to be ended where the others blame it, in their words', () => {
    const { rank, message } = culprit([
      { ...gone, rank: 2 },
      { rank: 0, code: 1, message: 'rank 2 failed', because: 2 },
      { ...ended, rank: 1 },
    ])!;
    assert.deepEqual({ rank, message }, { rank: 1, message: gone.message });
  });

  it('is not one that had to be ended because another failed', () => {
    assert.equal(
      culprit([
        { rank: 0, code: 1, message: 'the disk is full' },
        { ...ended, rank: 1 },
      ])?.rank,
      0,
    );
    assert.equal(culprit([{ ...ended, rank: 1 }])?.rank, 1);
  });
});
