/** Run the compiler; the result appears whole or not at all, also where several processes build at once. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

/**
 * @param what for the message, e.g. "the libtorch add-on"
 * @param argumentsFor the compiler's arguments, for output to this path
 * @throws the compiler's first error
 */
export async function compile(
  compiler: string,
  what: string,
  target: string,
  argumentsFor: (output: string) => string[],
): Promise<void> {
  mkdirSync(dirname(target), { recursive: true });
  const draft = `${target}.${randomUUID()}`;
  try {
    await promisify(execFile)(compiler, argumentsFor(draft));
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new Error(`${compiler} could not build ${what}: ${firstError(error)}`);
  }
}

function firstError(error: unknown): string {
  const { stderr = '', message } = error as { stderr?: string; message: string };
  const line = stderr.split('\n').find((text) => /error|undefined reference|cannot find/.test(text));
  return (line ?? message).trim();
}
