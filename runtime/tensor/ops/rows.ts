import type { FusedKernels } from '../kernels.ts';
import type { FusedOps } from '../types.ts';

export const rowOps = (
  kernels: Pick<FusedKernels, 'writeRows'>,
  noGrad: FusedOps['noGrad'],
): Pick<FusedOps, 'writeRows'> => ({
  writeRows(variable, rows, values) {
    const row = values.shape.slice(1);
    const width = row.reduce((product, n) => product * n, 1);
    const fits =
      row.length <= variable.shape.length && String(variable.shape.slice(-row.length || Infinity)) === String(row);
    if (!fits || values.shape[0] !== rows.length || values.dtype !== variable.dtype) {
      const what = `${rows.length} rows of ${values.dtype} [${values.shape}]`;
      throw new Error(`${what} cannot be written to ${variable.dtype} [${variable.shape}]`);
    }
    const count = variable.size / width;
    const outside = rows.find((number) => number < 0 || number >= count);
    if (outside !== undefined) throw new Error(`row ${outside} lies outside the ${count} rows of [${variable.shape}]`);
    if (rows.length > 0) noGrad(() => kernels.writeRows(variable, rows, values, width));
  },
});
