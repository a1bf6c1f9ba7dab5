/** Files of permutations for Jigsaw: a .npy of whole numbers, one permutation per row. */
import { readFileSync } from 'node:fs';
import { npyHeader } from './npy.ts';
import { numberReader } from './npy-values.ts';

/** Rows count from 0, or all from 1. Throws an Error that names the file and the row. */
export function readPermutations(file: string): readonly Uint32Array[] {
  const bytes = readFileSync(file);
  const header = npyHeader(bytes, file);
  const { shape, itemBytes, offset, fortran } = header;
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === 0 || fortran) {
    throw new Error(`${file} has the shape (${shape.join(', ')}); expected one permutation per row`);
  }
  if (bytes.length < offset + rows * columns * itemBytes) throw new Error(`${file} ends before its last permutation`);
  const read = numberReader(header, file);
  const values = Array.from({ length: rows * columns }, (_, i) => read(bytes, offset + i * itemBytes));
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
