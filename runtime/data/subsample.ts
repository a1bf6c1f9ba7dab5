/** A random part of a dataset, for training on 1 % or 10 % of the labels. */
import type { Random } from '../random.ts';

/** The draw may be continued: with `skip` s, the entries after the first s of the same draw. */
export interface Subsample {
  /** images to keep */
  readonly count: number;
  /** entries of the draw to leave out first, shared by the classes as `count` is when balanced; default 0 */
  readonly skip?: number;
}

/**
 * `count` of 0 … length-1 without repetition. Throws a RangeError when there are fewer than skip + count.
 */
export function subsample(length: number, options: Subsample, random: Pick<Random, 'permutation'>): Uint32Array {
  const { count, skip = 0 } = options;
  if (skip + count > length) throw new RangeError(`a sub-sample of ${count} after ${skip} of ${length} images`);
  return random.permutation(length).slice(skip, skip + count);
}

/**
 * `count` positions, as many of each class as of any other; when the classes do not divide it, the first ones (by
 * number) give one more. Grouped by class. Throws a RangeError that names a class with too few images.
 */
export function subsampleBalanced(
  labels: Int32Array,
  options: Subsample,
  random: Pick<Random, 'permutation'>,
): Uint32Array {
  const { count, skip = 0 } = options;
  const sizes = new Map<number, number>();
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  const classes = [...sizes.keys()].sort((a, b) => a - b);
  const members = new Map(classes.map((label) => [label, new Uint32Array(sizes.get(label)!)]));
  const filled = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) {
    const at = filled.get(labels[i]) ?? 0;
    members.get(labels[i])![at] = i;
    filled.set(labels[i], at + 1);
  }
  const chosen = new Uint32Array(count);
  let at = 0;
  classes.forEach((label, k) => {
    const shareOf = (total: number) => Math.floor(total / classes.length) + (k < total % classes.length ? 1 : 0);
    const share = shareOf(count);
    const first = shareOf(skip);
    const own = members.get(label)!;
    if (first + share > own.length) {
      throw new RangeError(`class ${label} has ${own.length} images; ${share} after ${first} are asked for`);
    }
    const draw = random.permutation(own.length);
    for (let i = 0; i < share; i++) chosen[at++] = own[draw[first + i]];
  });
  return chosen;
}
