/** Image files with labels, as the annotations of a dataset say them. */
import { type StringTable, StringTableBuilder } from '../string-table.ts';

export interface LabelledFiles {
  /** relative paths start here */
  readonly root: string;
  readonly paths: StringTable;
  /** `labelSize` numbers per file */
  readonly labels: Int32Array;
  readonly labelSize: number;
  readonly classes?: readonly string[];
}

/** Puts files and their labels into shared memory, in this order. */
export function labelledFiles(
  root: string,
  files: Iterable<readonly [path: string, label: ArrayLike<number>]>,
  labelSize: number,
  classes?: readonly string[],
): LabelledFiles {
  const paths = new StringTableBuilder();
  const values: number[] = [];
  for (const [path, label] of files) {
    paths.add(path);
    for (let k = 0; k < labelSize; k++) values.push(label[k]);
  }
  const labels = new Int32Array(new SharedArrayBuffer(values.length * 4));
  labels.set(values);
  return { root, paths: paths.finish(), labels, labelSize, classes };
}
