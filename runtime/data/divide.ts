/** A batch in tasks. */

/** images in a task: enough to make a message cheap, few enough to share a batch evenly */
const SMALLEST_TASK = 8;
const LARGEST_TASK = 32;

/** At most this many tasks to a batch. */
export const tasksOf = (images: number) => Math.ceil(images / SMALLEST_TASK);

/** Consecutive rows of one size. One thread alone has nothing to share. */
export function divide(
  indices: readonly number[],
  threads: number,
): { firstRow: number; indices: readonly number[] }[] {
  const share = Math.ceil(indices.length / Math.max(1, 4 * threads));
  const size = threads === 0 ? LARGEST_TASK : Math.min(LARGEST_TASK, Math.max(SMALLEST_TASK, share));
  const parts = [];
  for (let firstRow = 0; firstRow < indices.length; firstRow += size) {
    parts.push({ firstRow, indices: indices.slice(firstRow, firstRow + size) });
  }
  return parts;
}
