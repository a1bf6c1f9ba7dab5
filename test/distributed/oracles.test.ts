import assert from 'node:assert/strict';
import { launch } from './fixtures/launch.ts';

describe('reference cases of losses on two ranks', () => {
  it('hold where the ranks are processes', async () => {
    const ends = await launch('./oracle-rank.ts', 2, []);
    for (const { code, stdout, stderr } of ends) {
      assert.equal(code, 0, stderr);
      const { passed, failed } = JSON.parse(stdout);
      assert.deepEqual(failed, []);
      for (const path of ['losses/swav_loss.json', 'losses/simclr_info_nce_loss.json', 'losses/dino_loss.json']) {
        assert.ok(passed.includes(path), `${path} is not among ${passed}`);
      }
    }
  }).timeout(180_000);
});
