/** The coded pixels of a JPEG file without what separates them. */

/** A run of units between two restarts, as positions in the bytes that were copied. */
export interface Run {
  readonly start: number;
  readonly end: number;
}

/**
 * Copies the coded bytes from `at` to `out`, without the zeros stuffed after 0xff. Undefined unless they end with the
 * end of the image and restarts come in their order: a file that is cut off, damaged there, or has more scans.
 */
export function copyCoded(bytes: Uint8Array, at: number, out: Uint8Array): readonly Run[] | undefined {
  const runs: Run[] = [];
  let from = at;
  let to = 0;
  let start = 0;
  for (;;) {
    const mark = bytes.indexOf(0xff, from);
    if (mark < 0 || mark + 1 >= bytes.length) return undefined;
    const code = bytes[mark + 1];
    const stuffed = code === 0;
    const piece = bytes.subarray(from, stuffed ? mark + 1 : mark);
    out.set(piece, to);
    to += piece.length;
    from = mark + 2;
    if (stuffed) continue;
    runs.push({ start, end: to });
    start = to;
    if (code === 0xd9) return runs;
    if (code !== 0xd0 + ((runs.length - 1) & 7)) return undefined;
  }
}
