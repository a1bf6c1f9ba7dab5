/** Images and filters in the order in which convolutions read them. */
import type { Handle } from '../../../native/addon.ts';
import type { Tensor } from '../../../types.ts';
import { addon, aten, keep, memoryFormat } from '../aten.ts';
import { dataOf, FILTER, type TensorInfo } from '../data.ts';
import { filterFirst } from '../layout.ts';
import { lowKept } from '../precision.ts';

const contiguous = aten('contiguous');

/** [N, H, W, C] as libtorch takes images, [N, C, H, W] */
export const imageOf = (tensor: TensorInfo): Handle => dataOf(tensor).image;

/**
 * [kh, kw, I, O] as libtorch takes filters, [O, I, kh, kw], in memory [O, kh, kw, I]. A filter that lies otherwise is
 * rearranged: once in the life of a parameter, since updates keep the order.
 */
export function filterOf(filter: Tensor): Handle {
  const data = dataOf(filter);
  if (data.first >= 0 && data.back === FILTER) return data.first;
  const first = filterFirst(data.handle);
  const arranged = addon.isContiguous(first, memoryFormat.channelsLast)
    ? first
    : contiguous(first, memoryFormat.channelsLast);
  keep(arranged);
  data.replaceFirst(arranged, FILTER);
  return arranged;
}

/** … in the number format of convolutions */
export function lowFilterOf(filter: Tensor): Handle {
  return lowKept(dataOf(filter), filterOf(filter));
}
