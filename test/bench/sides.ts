/** Two processes that work in turn: a busy machine troubles both alike, so their ratio holds where their times do not. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Side {
  /** One turn; the numbers that the process prints for it. */
  turn(): Promise<number[]>;
  stop(): void;
}

/** Starts a process that prints "ready", and then a line of numbers for each line it reads. */
export async function startSide(command: string, args: readonly string[]): Promise<Side> {
  const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command} ${args.join(' ')} ended`);
    return value;
  };
  while (!(await next()).startsWith('ready'));
  return {
    turn: async () => {
      child.stdin!.write('\n');
      return (await next()).split(' ').map(Number);
    },
    stop: () => child.stdin!.end(),
  };
}

/** A script of this folder on the built package (`npm run build` first). */
export const startOurs = (script: string, args: readonly string[]): Promise<Side> =>
  startSide(process.execPath, ['--import=tsx', `--import=${here('built.js')}`, here(script), ...args]);

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
