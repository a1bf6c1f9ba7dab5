import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../runtime/package.ts';
import { type Finished, withFolder } from './support.ts';

const small = [
  'quick/swav',
  'train_images=64',
  'test_images=16',
  'batch_size=8',
  'num_crops=[2]',
  'size_crops=[16]',
  'crop_scales=[[0.3, 1]]',
  'size=16',
  'prototypes=[8]',
];

/** The command from its sources; `watch` sees what it has written so far. */
function pipe(args: readonly string[], watch?: (stderr: string, child: ChildProcess) => void): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const program = join(packageRoot, 'runtime', 'cli', 'main.ts');
    const child = spawn(process.execPath, ['--import=tsx', program, ...args], { cwd: packageRoot });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
      watch?.(stderr, child);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

const ranks = (out: string, ...more: string[]) => [
  'run',
  ...small,
  '--out',
  out,
  '--device',
  'wasm',
  '--workers',
  '0',
  '--ranks',
  '2',
  ...more,
];

/** Processes that a launcher has started. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((one) => {
      try {
        return Number(readFileSync(`/proc/${one}/stat`, 'utf8').split(') ')[1].split(' ')[1]) === pid;
      } catch {
        return false;
      }
    });
}

const environment = (pid: number, name: string): string | undefined =>
  readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .find((entry) => entry.startsWith(`${name}=`))
    ?.slice(name.length + 1);

describe('pipe run --ranks', function () {
  this.timeout(300_000); // launcher and ranks, on a machine that others use

  it(
    'stops all ranks after one step on SIGINT; with as many ranks it goes on, with another number it refuses',
    withFolder(async (out) => {
      let asked = false;
      const stopped = await pipe(ranks(out, 'epochs=300'), (stderr, child) => {
        if (asked || !stderr.includes('train 1/300')) return;
        asked = true;
        child.kill('SIGINT');
      });
      assert.equal(stopped.code, 0, stopped.stderr);
      const at = Number(/stopped at iteration (\d+)/.exec(stopped.stderr)?.[1]);
      assert.ok(at >= 4 && at < 1200, stopped.stderr);
      const folder = join(out, 'checkpoints');
      const newest = readFileSync(join(folder, 'latest'), 'utf8').trim();
      assert.equal(Number(newest.slice(5, 15)), at);
      assert.ok(existsSync(join(folder, newest, 'state-rank-1.safetensors')));

      const alone = await pipe(['run', ...small, 'epochs=300', '--out', out, '--device', 'wasm', '--workers', '0']);
      assert.equal(alone.code, 1);
      assert.match(alone.stderr, /was written by 2 ranks, and this run has 1.*Go on with --ranks 2/s);

      // rank 1 is killed once it goes on; the group begins again and is killed no more
      let killed = 0;
      asked = false;
      const restarted = await pipe(ranks(out, 'epochs=300', '--restarts', '1'), (stderr, child) => {
        if (killed === 0 && stderr.includes('goes on from')) {
          killed = childrenOf(child.pid!).find((pid) => environment(pid, 'RANK') === '1')!;
          process.kill(killed, 'SIGKILL');
        } else if (!asked && stderr.split('goes on from').length > 2) {
          asked = true;
          child.kill('SIGTERM');
        }
      });
      assert.ok(killed > 0);
      assert.match(restarted.stderr, /pipe: rank 1 failed: it was killed \(SIGKILL\)/);
      assert.match(restarted.stderr, /the ranks begin again from the last checkpoint \(1 of 1\)/);
      assert.equal(restarted.code, 0, restarted.stderr);
      assert.match(restarted.stderr, /stopped at iteration/);
    }),
  );

  it(
    'ends with the exit code of a rank that is killed',
    withFolder(async (out) => {
      let killed = false;
      const end = await pipe(ranks(out, 'epochs=300'), (stderr, child) => {
        if (killed || !stderr.includes('train 1/300')) return;
        killed = true;
        for (const pid of childrenOf(child.pid!)) if (environment(pid, 'RANK') === '1') process.kill(pid, 'SIGKILL');
      });
      assert.equal(end.code, 1);
      assert.match(end.stderr, /rank 1 \(.*\) is gone/);
      assert.match(end.stderr, /pipe: rank 1 failed: it was killed \(SIGKILL\)\n$/);
    }),
  );

  it('refuses what cannot be', async () => {
    const wrong = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await pipe(['run', 'quick/swav', ...args]);
      assert.equal(code, 2, stderr);
      return stderr;
    };
    assert.match(await wrong('--ranks', '0'), /--ranks wants a whole number, 1 or more/);
    assert.match(await wrong('--nodes', '2'), /2 nodes, but no place to meet.*--rendezvous tcp/s);
    assert.match(await wrong('--nodes', '2', '--rendezvous', 'nowhere'), /neither tcp/);
  });
});
