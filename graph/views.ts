/** How many views a batch of images holds. */
import type { Dim, PortValue } from './port.ts';

/**
 * Views in each group of images that lie view after view: a batch dimension of [8, 64] is 8 views of 64 images, one
 * without factors is one view. Undefined when a group's is not known.
 */
export function viewsPerGroup(value: PortValue | undefined): readonly number[] | undefined {
  const counts = value?.shapes?.map(([rows]) => views(rows));
  return counts?.every((count) => count !== undefined) ? (counts as number[]) : undefined;
}

function views(rows: Dim | undefined): number | undefined {
  if (rows === undefined) return undefined;
  if (rows.length === 1) return 1;
  return typeof rows[0] === 'number' ? rows[0] : undefined;
}
