/** Bytes of picture files. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** ms */
const QUICK = 1;
/** how many files are promised after a slow one, at first and at most */
const FEWEST = 4;
const MOST = 256;

/**
 * Reads files at once while they come quickly, as from the system's cache: that takes a fifth of the processor time of a
 * promise. From a slow disk they are promised, so that the thread works on meanwhile; now and then one is tried at once.
 */
export function createFileReader(now: () => number): (file: string) => Promise<Uint8Array> {
  let promised = 0;
  let afterSlow = FEWEST;
  return async (file) => {
    if (promised > 0) {
      promised -= 1;
      return readFile(file);
    }
    const begun = now();
    const bytes = readFileSync(file);
    if (now() - begun <= QUICK) afterSlow = FEWEST;
    else {
      promised = afterSlow;
      afterSlow = Math.min(MOST, 2 * afterSlow);
    }
    return bytes;
  };
}
