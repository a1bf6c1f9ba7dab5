import assert from 'node:assert/strict';
import { withTorch } from '../tensor/torch/support.ts';
import { launch } from './fixtures/launch.ts';

withTorch("joining Gloo's group", () => {
  /** What each rank came to; all end soon, though ranks have 300 s to join. */
  async function outcomes(task: string): Promise<readonly string[]> {
    const ends = await launch('./gloo-rank.ts', 2, [task]);
    return ends
      .filter(({ signal }) => signal === null)
      .map(({ code, stdout, stderr }) => {
        assert.equal(code, 0, stderr);
        const { outcome, seconds } = JSON.parse(stdout);
        assert.ok(seconds < 30, `it took ${seconds} s`);
        return outcome;
      });
  }

  it('all have it where nothing is wrong', async () => {
    assert.deepEqual(await outcomes('nothing'), ['Gloo', 'Gloo']);
  }).timeout(60_000);

  for (const [task, what] of [
    ['taken', 'the port of rank 0 is taken'],
    ['unresolved', 'the address of rank 1 is none'],
    ['late', 'rank 1 does not come in time'],
  ]) {
    it(`none has it where ${what}`, async () => {
      assert.deepEqual(await outcomes(task), ['none', 'none']);
    }).timeout(60_000);
  }

  it('names a rank that ends meanwhile', async () => {
    const [outcome] = await outcomes('gone');
    assert.match(outcome, /^rank 1 .* is gone/);
  }).timeout(60_000);
});
