/** Lists of positive and negative classes for many images, in shared memory. */
import type { PartialLabel } from './sample.ts';

export interface PartialLabels {
  /** classes, image after image: positives, then negatives */
  readonly classes: Int32Array;
  /** two per image: where its positives end, and where its negatives end */
  readonly ends: Uint32Array;
}

export function packPartialLabels(labels: readonly PartialLabel[]): PartialLabels {
  const total = labels.reduce((sum, { positive, negative }) => sum + positive.length + negative.length, 0);
  const classes = new Int32Array(new SharedArrayBuffer(total * 4));
  const ends = new Uint32Array(new SharedArrayBuffer(labels.length * 8));
  let at = 0;
  labels.forEach(({ positive, negative }, i) => {
    classes.set(positive, at);
    classes.set(negative, at + positive.length);
    ends[2 * i] = at + positive.length;
    at += positive.length + negative.length;
    ends[2 * i + 1] = at;
  });
  return { classes, ends };
}

export function partialLabelAt({ classes, ends }: PartialLabels, i: number): PartialLabel {
  const begin = i === 0 ? 0 : ends[2 * i - 1];
  return {
    positive: Array.from(classes.subarray(begin, ends[2 * i])),
    negative: Array.from(classes.subarray(ends[2 * i], ends[2 * i + 1])),
  };
}
