import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPermutations } from '../../runtime/data/permutations.ts';
import { pipe, withFolder } from './support.ts';

describe('pipe jigsaw-perms', function () {
  this.timeout(180_000);

  it(
    'writes a file that the Jigsaw pipelines take, the same for the same seed',
    withFolder(async (folder) => {
      const out = join(folder, 'perms', 'hamming_perms_100_patches_9_max_avg.npy');
      const written = await pipe('jigsaw-perms', '--count', '100', '--out', out);
      assert.equal(written.code, 0, written.stderr);
      assert.match(
        written.stdout,
        /100 permutations of 9 patches; of two, 8\.\d+ places differ on average, at least \d/,
      );
      assert.match(written.stdout, /"type":"transform\/shuffle_patches"/);
      assert.equal(readPermutations(out).length, 100);
      assert.match(readFileSync(out).toString('latin1'), /'descr': '<i8', 'fortran_order': False, 'shape': \(100, 9\)/);

      const again = join(folder, 'again.npy');
      const report = await pipe('jigsaw-perms', '--count', '100', '--out', again, '--json');
      const { count, patches, method, seed, mean } = JSON.parse(report.stdout);
      assert.deepEqual([count, patches, method, seed], [100, 9, 'max_avg', 0]);
      assert.ok(mean > 8);
      assert.deepEqual(readFileSync(again), readFileSync(out));

      const check = (...changes: string[]) =>
        pipe('check', 'quick/jigsaw', `+nodes.views/shuffle.perm_file=${out}`, ...changes);
      const right = await check('permutations=100');
      assert.equal(right.code, 0, right.stderr);
      const wrong = await check('permutations=24');
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, /shuffle\.permutations: is 24, and .* has 100 permutations\. Say 100/);
    }),
  );

  it('shows an example, and says what is wrong with a request', async () => {
    const help = await pipe('jigsaw-perms', '--help');
    assert.equal(help.code, 0);
    assert.match(help.stdout, /Example:\n {2}pipe /);
    for (const [args, message] of [
      [['--out', 'perms.txt'], /--out is "perms\.txt"\. Name a file that ends in \.npy/],
      [['--out', 'p.npy', '--patches', '16'], /--patches is "16", and must be a whole number from 2 to 9/],
      [['--out', 'p.npy', '--patches', '4', '--count', '25'], /--count is "25".*4 patches have 24 permutations/],
      [['--out', 'p.npy', '--seed', 'x'], /--seed is "x"/],
      [['--count', '5'], /required option '--out <file\.npy>' not specified/],
    ] as const) {
      const { code, stderr } = await pipe('jigsaw-perms', ...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
  });
});
