/** Runs the real command as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../runtime/package.ts';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const bin = join(packageRoot, 'bin', 'pipe.js');

export function startPipe(
  args: readonly string[],
  options: { cwd?: string; onStart?: (child: ChildProcess) => void } = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: options.cwd ?? packageRoot,
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    options.onStart?.(child);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

export const pipe = (...args: string[]): Promise<Finished> => startPipe(args);

/** quick/swav, so small that it ends in seconds */
export const tiny = [
  'quick/swav',
  'train_images=48',
  'test_images=24',
  'epochs=1',
  'batch_size=16',
  'num_crops=[2]',
  'size_crops=[16]',
  'crop_scales=[[0.3, 1]]',
  'size=16',
  'prototypes=[8]',
  'width=0.125',
];

/** A folder for one test, removed after it. */
export function withFolder(body: (folder: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pipe-cli-'));
    try {
      await body(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}
