/** What commands about files ask of their arguments. */
import { statSync } from 'node:fs';
import { WrongRequest } from '../pipeline/wrong-request.ts';

export const refusal = (message: string, cure?: string): WrongRequest =>
  new WrongRequest([{ layer: 'environment', message, ...(cure ? { cure } : {}) }]);

/** Throws a WrongRequest unless there is such a folder, or file. */
export function mustExist(path: string, kind: 'folder' | 'file'): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw refusal(`there is no ${kind} ${path}`, 'Check the path');
  if (kind === 'folder' ? !found.isDirectory() : !found.isFile()) throw refusal(`${path} is not a ${kind}`);
}

/** Runs until it is done or the first Ctrl-C, which aborts the signal. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const abort = () => stop.abort(new Error('interrupted'));
  process.once('SIGINT', abort).once('SIGTERM', abort);
  try {
    return await work(stop.signal);
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort);
  }
}
