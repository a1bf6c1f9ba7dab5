/** All reference cases as tests, and a floor under how many are supported (the open cases). */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { count } from './checker.ts';
import { oracleFolder, readOracles } from './oracle-file.ts';
import { loadCheckers, runFile } from './runner.ts';

/** Cases checked per file; a lower number fails. `UPDATE_SUPPORTED=1 npx mocha test/oracles/oracles.test.ts` writes it anew. */
const SUPPORTED = new URL('supported.json', import.meta.url);

const folder = oracleFolder();
const [files, checkers, floor] = await Promise.all([
  readOracles(folder),
  loadCheckers(),
  readFile(SUPPORTED, 'utf8').then((text) => JSON.parse(text) as Record<string, number>),
]);
const supported: Record<string, number> = {};

describe('reference cases', function () {
  this.timeout(1_800_000); // whole ResNets on machines that have other work

  for (const file of files) {
    const checker = checkers.find(({ pattern }) => pattern.test(file.path));
    if (!checker) continue;
    it(file.path, async () => {
      const result = await runFile(file, checker, 'wasm');
      const failed = result.results.filter(({ outcome }) => outcome === 'failed');
      assert.deepEqual(failed, []);
      if (count(result, 'passed') > 0) supported[file.path] = count(result, 'passed');
    });
  }

  it('no fewer cases are supported than before', async () => {
    if (process.env.UPDATE_SUPPORTED) await writeFile(SUPPORTED, `${JSON.stringify(supported, null, 2)}\n`);
    const open = process.env.ORACLES === undefined;
    const lost = Object.entries(floor).filter(([path, cases]) => (supported[path] ?? 0) < cases);
    assert.deepEqual(open ? lost : [], []);
  });
});
