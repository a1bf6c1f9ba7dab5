/**
 * What a rank leaves for one other rank of its machine: a file in memory (tmpfs where there is one) with a few slots,
 * written by one and read by the other at the speed of memory. It has no name any more once both have opened it, so
 * that nothing stays behind, however the ranks end.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** bytes of a slot, a multiple of 4 */
export const CHUNK = 2 ** 20;
/** chunks under way at once */
export const SLOTS = 3;

export interface Outbox {
  readonly path: string;
  write(slot: number, bytes: Uint8Array): void;
  unlink(): void;
  close(): void;
}

/** @returns undefined where there is no room */
export function createOutbox(): Outbox | undefined {
  const folder = ['/dev/shm', tmpdir()].find(hasRoom);
  if (folder === undefined) return undefined;
  const path = join(folder, `pipe-${process.pid}-${randomBytes(8).toString('hex')}`);
  let file: number | undefined;
  try {
    file = openSync(path, 'wx+', 0o600);
    const blank = new Uint8Array(CHUNK);
    for (let slot = 0; slot < SLOTS; slot++) writeFully(file, blank, slot * CHUNK);
  } catch {
    if (file !== undefined) closeSync(file);
    rmSync(path, { force: true });
    return undefined;
  }
  const opened = file;
  return {
    path,
    write: (slot, bytes) => writeFully(opened, bytes, slot * CHUNK),
    unlink: () => rmSync(path, { force: true }),
    close: () => closeSync(opened),
  };
}

export interface Inbox {
  read(slot: number, into: Uint8Array): void;
  close(): void;
}

/** @returns undefined when the other rank's file cannot be opened here */
export function openInbox(path: string): Inbox | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  return {
    read(slot, into) {
      let done = 0;
      while (done < into.length) {
        const read = readSync(file, into, done, into.length - done, slot * CHUNK + done);
        if (read === 0) throw new Error('the memory shared with another rank was cut');
        done += read;
      }
    },
    close: () => closeSync(file),
  };
}

function writeFully(file: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(file, bytes, done, bytes.length - done, position + done);
}

/** Room for this pair of ranks and for those of a large machine. */
function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize > 16 * SLOTS * CHUNK;
  } catch {
    return false;
  }
}
