/** Permutations for Jigsaw: of a .npy of whole numbers, one per row, or made. Files are read as numbers, never executed. */
import { readFileSync } from 'node:fs';
import { createRandom } from '../random.ts';
import { npyHeader } from './npy.ts';
import { numberReader } from './npy-values.ts';

/** Rows count from 0, or all from 1. Throws an Error that names the file and the row. */
export function readPermutations(file: string): readonly Uint32Array[] {
  const bytes = readFileSync(file);
  const header = npyHeader(bytes, file);
  const { shape, itemBytes, offset, fortran } = header;
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === 0 || columns === 0) {
    throw new Error(`${file} has the shape (${shape.join(', ')}); expected one permutation per row`);
  }
  const read = numberReader(header, file);
  if (bytes.length < offset + rows * columns * itemBytes) throw new Error(`${file} ends before its last permutation`);
  const values = Array.from({ length: rows * columns }, (_, i) => {
    const at = fortran ? (i % columns) * rows + Math.floor(i / columns) : i;
    const value = read(bytes, offset + at * itemBytes);
    if (Number.isInteger(value)) return value;
    throw new Error(`${file}: row ${Math.floor(i / columns)} has ${value}; permutations are of whole numbers`);
  });
  const least = values.reduce((a, b) => Math.min(a, b));
  const base = least === 1 ? 1 : 0;
  return Array.from({ length: rows }, (_, row) => {
    const order = Uint32Array.from(values.slice(row * columns, (row + 1) * columns), (value) => value - base);
    if (new Set(order).size !== columns || order.some((k) => k >= columns)) {
      throw new Error(`${file}: row ${row} is not a permutation of ${columns} patches`);
    }
    return order;
  });
}

/** draws that each permutation is the best of */
const CANDIDATES = 64;

/**
 * Permutations that differ in many places from each other: each is the one of some random ones whose least Hamming
 * distance to those before it is largest. The same at every call. @throws RangeError when there are not so many
 */
export function distantPermutations(length: number, count: number): readonly Uint32Array[] {
  let all = 1;
  for (let n = 2; n <= length && all < count; n++) all *= n;
  if (all < count) throw new RangeError(`${length} patches have ${all} permutations, not ${count}`);
  const random = createRandom(0, 'permutations', length, count);
  const chosen: Uint32Array[] = [];
  while (chosen.length < count) {
    let best: Uint32Array | undefined;
    let most = 0;
    for (let i = 0; i < CANDIDATES; i++) {
      const candidate = Uint32Array.from(random.permutation(length));
      let least = length + 1;
      for (const other of chosen) {
        least = Math.min(least, differences(candidate, other));
        if (least <= most) break; // another is farther
      }
      if (least > most) [best, most] = [candidate, least];
    }
    if (best) chosen.push(best);
  }
  return chosen;
}

function differences(a: Uint32Array, b: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) sum++;
  return sum;
}
