/** Mistakes that collators find in the samples they are given. */
import type { Report } from '../../graph/node-type.ts';
import type { SampleFacts, Shape } from '../../graph/port.ts';
import { sameShape } from './parts.ts';

export const shapeText = (shape: Shape): string => shape.map((dim) => dim.join('·')).join('×');

/** Views must be floats of sizes known before any is read. */
export function checkViews(facts: SampleFacts, problem: Report): void {
  if (facts.dtype === 'uint8') {
    problem({
      message: 'the images are still bytes',
      cure: 'End the chain with transform/to_tensor or transform/normalize',
    });
  }
  const open = facts.views.findIndex((view) => view.some((dim) => dim.some((factor) => typeof factor === 'string')));
  if (open < 0) return;
  problem({
    message: `view ${open} has the size ${shapeText(facts.views[open])}, which differs from image to image`,
    cure: 'Put a transform before it that makes one size: random_resized_crop, multi_crop, or resize and center_crop',
  });
}

/** Views from `first` to `end` must be of one size. */
export function checkSameSize(facts: SampleFacts, first: number, end: number, problem: Report): void {
  const views = facts.views.slice(first, end);
  const odd = views.findIndex((view) => !sameShape(view, views[0]));
  if (odd < 0) return;
  problem({
    message: `views must be of one size, and view ${first} is ${shapeText(views[0])} while view ${first + odd} is ${shapeText(views[odd])}`,
    cure: 'Use collator/multicrop for crops of several sizes',
  });
}
