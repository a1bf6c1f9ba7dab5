import type { FusedKernels } from '../../../kernels.ts';
import { addon, aten, keep, kernelScope, memoryFormat, scalarType, upload } from '../aten.ts';
import { cast, exact } from '../data.ts';
import { writable } from './tensor.ts';

const view = aten('view');
const copyRows = aten('index_copy_');
const contiguous = aten('contiguous');

export const rowKernels: Pick<FusedKernels, 'writeRows'> = {
  writeRows: (variable, rows, values, width) =>
    kernelScope(() => {
      const data = writable(variable);
      if (!addon.isContiguous(data.handle, memoryFormat.contiguous)) data.replace(keep(contiguous(data.handle)));
      const table = view(data.handle, [variable.size / width, width]);
      const numbers = cast(upload(rows, [rows.length], scalarType.int32), scalarType.int64);
      const fresh = view(contiguous(exact(values)), [rows.length, width]);
      copyRows(table, 0, numbers, cast(fresh, addon.scalarType(table)));
    }),
};
