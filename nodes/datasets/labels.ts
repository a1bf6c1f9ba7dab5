import { readNpyLabels } from '../../runtime/data/npy-values.ts';

/** Labels of `count` images from a .npy file. Throws a RangeError when rows or columns do not fit. */
export async function readLabels(file: string, size: number, count: number, images: string): Promise<Int32Array> {
  const { values, rows, columns } = await readNpyLabels(file);
  if (rows !== count) throw new RangeError(`${file} has ${rows} labels, and ${images} ${count} images`);
  if (columns !== size) {
    throw new RangeError(`${file} has ${columns} numbers per label, and label_size is ${size}: set it to ${columns}`);
  }
  return values;
}
