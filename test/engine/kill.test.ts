import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRandom } from '../../runtime/random.ts';
import { withFolder } from './fixtures/graph.ts';

const program = fileURLToPath(new URL('./fixtures/train.ts', import.meta.url));

/** Run the program in a process; kill -9 it `delay` ms after the line number `line` of its output. Returns its lines. */
function train(out: string, workers: number, kill?: { line: number; delay: number }): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import=tsx', program, out, String(workers)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    let errors = '';
    let armed = kill !== undefined;
    child.stderr.on('data', (data) => {
      errors += data;
    });
    child.stdout.on('data', (data) => {
      text += data;
      if (!armed || text.split('\n').length <= kill!.line) return;
      armed = false;
      setTimeout(() => child.kill('SIGKILL'), kill!.delay);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0 || (kill && signal === 'SIGKILL')) resolve(text.trim().split('\n'));
      else reject(new Error(`the run ended with ${code ?? signal}: ${errors}`));
    });
  });
}

async function finalModel(out: string): Promise<Buffer> {
  const folder = join(out, 'checkpoints');
  const [name] = (await readdir(folder)).filter((entry) => entry.endsWith('-final'));
  return readFile(join(folder, name, 'model.safetensors'));
}

describe('a run killed at any moment', () => {
  it('and resumed gives the weights of the run that was not, bit for bit', async function () {
    this.timeout(600_000); // about twenty processes, on a machine that others use
    const moments = createRandom(Date.now(), 'kill');
    await withFolder(async (whole) => {
      const lines = await train(whole, 0);
      assert.equal(lines.at(-1), 'done');
      const expected = await finalModel(whole);
      for (let i = 0; i < 10; i++) {
        await withFolder(async (out) => {
          const kill = { line: 1 + moments.integer(lines.length - 2), delay: moments.integer(12) };
          const where = `killed ${kill.delay} ms after line ${kill.line} of ${lines.length}`;
          const before = await train(out, 0, kill);
          // a second kill for some: a run may be unlucky twice
          if (i % 3 === 0) await train(out, 0, { line: 1 + moments.integer(10), delay: moments.integer(12) });
          const after = await train(out, i === 1 ? 1 : 0);
          assert.ok(['done', 'finished'].includes(after.at(-1)!), where);
          assert.ok(before.length <= lines.length, where);
          assert.ok((await finalModel(out)).equals(expected), where);
        });
      }
    });
  });
});
