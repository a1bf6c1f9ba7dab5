import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Ffmpeg } from './ffmpeg.ts';

export interface Ended {
  /** exit code; null when it was killed */
  readonly code: number | null;
  /** what it said went wrong, a line each, the first ones */
  readonly errors: readonly string[];
}

const MOST_ERRORS = 20;

/** Runs ffmpeg to its end; `onLine` gets each line of its output. Throws the signal's reason. */
export async function runFfmpeg(
  { path }: Ffmpeg,
  args: readonly string[],
  signal: AbortSignal,
  onLine: (line: string) => void = () => {},
): Promise<Ended> {
  signal.throwIfAborted();
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (errors.length < MOST_ERRORS) errors.push(tidy(line));
  });
  try {
    const ended = new Promise<number | null>((done, failed) => child.once('close', done).once('error', failed));
    ended.catch(() => {}); // heard below, after the lines
    for await (const line of createInterface({ input: child.stdout })) onLine(line);
    const code = await ended;
    signal.throwIfAborted();
    return { code, errors };
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
  }
}

/** Without the address of the decoder that speaks, which differs from run to run. */
export const tidy = (line: string): string => line.replace(/ @ 0x[0-9a-f]+\]/, ']').trim();
