/** Views of several sizes in one tensor. */
import { size } from '../../graph/dim.ts';
import type { Dim, SampleFacts } from '../../graph/port.ts';

/** 0 when it differs from image to image */
const sizeOf = (dim: Dim): number => size(dim) ?? 0;

/** Greatest height and width of all views, each on its own. */
export function largest({ views }: SampleFacts): { height: Dim; width: Dim; channels: Dim } {
  const [, , channels] = views[0];
  const greatest = (axis: 0 | 1) => views.map((view) => view[axis]).reduce((a, b) => (sizeOf(b) > sizeOf(a) ? b : a));
  return { height: greatest(0), width: greatest(1), channels };
}

/** Writes 1 where a row of the padded tensor has no pixel and 0 where it has one, for `rows` images view by view. */
export function paddingMask(mask: Uint8Array, facts: SampleFacts, rows: number): void {
  const { height, width } = largest(facts);
  const [fullHeight, fullWidth] = [sizeOf(height), sizeOf(width)];
  mask.fill(1);
  facts.views.forEach((view, position) => {
    const [viewHeight, viewWidth] = [sizeOf(view[0]), sizeOf(view[1])];
    for (let row = 0; row < rows; row++) {
      const first = (position * rows + row) * fullHeight * fullWidth;
      for (let y = 0; y < viewHeight; y++) mask.fill(0, first + y * fullWidth, first + y * fullWidth + viewWidth);
    }
  });
}
