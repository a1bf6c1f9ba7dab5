/** Transforms inside a transform. */
import type { View } from '../../runtime/data/sample.ts';
import type { Transform } from '../../runtime/node.ts';
import type { Random } from '../../runtime/random.ts';

/** One view through transforms, each with a stream of its own. Throws a TypeError when one makes labels or more views. */
export function applyTo(view: View, transforms: readonly Transform[], random: Random, position: number): View {
  return transforms.reduce((current, transform, i) => {
    if ('sample' in transform) throw new TypeError('a transform that makes labels cannot stand inside another');
    const made = transform.view(current, random.fork(i), position);
    if (Array.isArray(made)) throw new TypeError('a transform that makes several views cannot stand inside another');
    return made;
  }, view);
}
