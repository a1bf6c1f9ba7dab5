/** tfjs's channels-last axes as libtorch's channels-first ones: views over the same memory, no copies. */
import type { Handle } from '../../native/addon.ts';
import { addon, aten, keep, kernelScope, memoryFormat } from './aten.ts';
import { dataOf, type TensorInfo } from './data.ts';

const permute = aten('permute');
const contiguous = aten('contiguous');

/** [N, H, W, C] → [N, C, H, W]; three spatial axes alike */
export const channelsFirst = (x: Handle, rank: 4 | 5 = 4): Handle =>
  permute(x, rank === 4 ? [0, 3, 1, 2] : [0, 4, 1, 2, 3]);

/** A tensor [N, H, W, C] as libtorch takes images, [N, C, H, W]. */
export function imageOf(tensor: TensorInfo): Handle {
  const data = dataOf(tensor);
  return data.first >= 0 ? data.first : permute(data.handle, [0, 3, 1, 2]);
}

/** [N, C, H, W] → [N, H, W, C] */
export const channelsLast = (x: Handle, rank: 4 | 5 = 4): Handle =>
  permute(x, rank === 4 ? [0, 2, 3, 1] : [0, 2, 3, 4, 1]);

/** [kh, kw, I, O] → [O, I, kh, kw] */
export const filterFirst = (w: Handle, rank: 4 | 5 = 4): Handle =>
  permute(w, rank === 4 ? [3, 2, 0, 1] : [4, 3, 0, 1, 2]);

/** [O, I, kh, kw] → [kh, kw, I, O] */
export const filterLast = (w: Handle, rank: 4 | 5 = 4): Handle =>
  permute(w, rank === 4 ? [2, 3, 1, 0] : [2, 3, 4, 1, 0]);

/**
 * Bring the memory of a filter [kh, kw, I, O] into the order that convolutions read, [O, kh, kw, I], where it is not:
 * once in the life of a parameter, since updates keep it.
 */
export function arrangeFilter(filter: TensorInfo): void {
  // a scope of its own: a view that outlived it would make the filter look shared
  kernelScope(() => {
    const data = dataOf(filter);
    const first = filterFirst(data.handle);
    if (addon.isContiguous(first, memoryFormat.channelsLast)) return;
    data.replace(keep(filterLast(contiguous(first, memoryFormat.channelsLast))));
  });
}
