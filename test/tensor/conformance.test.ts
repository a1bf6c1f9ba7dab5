/** tfjs-core's own test-suite on our backends: no spec fails that is not excluded, with a reason, in conformance/exclusions.js. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { withBackend } from './availability.ts';

const program = fileURLToPath(new URL('conformance/run.js', import.meta.url));

/** specs that pass on tfjs's own cpu backend, 4.22.0 */
const ON_CPU = 4221;

function suite(backend: string, atLeast: number): void {
  withBackend(backend, `tfjs-core's suite on ${backend}`, () => {
    it(`passes, ${atLeast} specs at least`, () => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [program, '--backend', backend], {
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      });
      const last = stdout.trimEnd().split('\n').at(-1) ?? '';
      const [, passed, failed] = /^(\d+) passed, (\d+) failed/.exec(last) ?? [];
      assert.equal(failed, '0', `${last}\n${stderr.slice(-2000)}`);
      assert.equal(status, 0);
      assert.ok(Number(passed) >= atLeast, last);
    }).timeout(600_000);
  });
}

suite('torch', Math.ceil(0.99 * ON_CPU));
suite('tensorflow', Math.ceil(0.99 * ON_CPU));
// without complex numbers and text
suite('wasm', 3988);
