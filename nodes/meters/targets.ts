import type { Tensor } from '../../runtime/tensor/types.ts';

/** Class indices [N], or a number per class [N, C], read alike. */
export interface Targets {
  readonly rows: number;
  /** weight of a class for a row: 1 when it applies; shares of soft labels */
  at(row: number, label: number): number;
  /** weights of all classes of a row */
  sum(row: number): number;
  /** the row has no label (-1) */
  unknown(row: number): boolean;
}

/** @throws Error when the sizes do not fit, or a label is no class */
export async function readTargets(target: Tensor, rows: number, classes: number): Promise<Targets> {
  const { shape } = target;
  const values = (await target.data()) as Float32Array | Int32Array;
  if (shape.length === 1 && shape[0] === rows) {
    const large = values.findIndex((label) => label >= classes);
    if (large >= 0) throw new Error(`the label ${values[large]} of row ${large} is not one of ${classes} classes`);
    return {
      rows,
      at: (row, label) => (values[row] === label ? 1 : 0),
      sum: () => 1,
      unknown: (row) => values[row] < 0,
    };
  }
  if (shape.length === 2 && shape[0] === rows && shape[1] === classes) {
    return {
      rows,
      at: (row, label) => Math.max(0, values[row * classes + label]),
      sum(row) {
        let sum = 0;
        for (let i = row * classes; i < (row + 1) * classes; i++) sum += Math.max(0, values[i]);
        return sum;
      },
      unknown: () => false,
    };
  }
  throw new Error(`targets are [${rows}] class indices or [${rows}, ${classes}] numbers, not [${shape}]`);
}
