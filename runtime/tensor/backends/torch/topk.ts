import type { Handle } from '../../native/addon.ts';
import { addon, aten, scalarType } from './aten.ts';
import { cast } from './data.ts';

const topk = aten('topk');
const sort = aten('sort.stable');
const narrow = aten('slice.Tensor');
const gather = aten('gather');
const eq = aten('eq.Tensor');
const sum = aten('sum.dim_IntList');
const gt = aten('gt.Tensor');
const any = aten('any');

/** The k largest of the last axis, descending; of equal values the lower index first, which libtorch's topk leaves open. */
export function largest(x: Handle, k: number): { values: Handle; indices: Handle } {
  const shape = addon.shape(x);
  if (shape.at(-1) === 0 || k === 0) {
    const none = narrow(x, -1, 0, 0);
    return { values: none, indices: cast(none, scalarType.int32) };
  }
  const [found, at] = topk(x, k, -1, true, true) as [Handle, Handle];
  if (tieAtTheEnd(x, found, k)) {
    const [ordered, places] = sort(x, true, -1, true) as [Handle, Handle];
    return { values: narrow(ordered, -1, 0, k), indices: cast(narrow(places, -1, 0, k), scalarType.int32) };
  }
  // all equal values are in: bring them into the order of their indices
  const [byIndex, order] = sort(at, true, -1, false) as [Handle, Handle];
  const [values, byValue] = sort(gather(found, -1, order), true, -1, true) as [Handle, Handle];
  return { values, indices: cast(gather(byIndex, -1, byValue), scalarType.int32) };
}

/** Whether in any row a value that was left out equals the last one taken. */
function tieAtTheEnd(x: Handle, found: Handle, k: number): boolean {
  const last = narrow(found, -1, k - 1, k);
  const inAll = sum(eq(x, last), [-1], false);
  const taken = sum(eq(found, last), [-1], false);
  const flag = new Uint8Array(1);
  addon.readInto(any(gt(inAll, taken)), flag);
  return flag[0] === 1;
}
