/** Transforms inside a transform. */
import type { View } from '../../runtime/data/sample.ts';
import type { Transform } from '../../runtime/node.ts';
import type { Random } from '../../runtime/random.ts';

/** One view through transforms, each with a stream of its own. Throws a TypeError when one does not keep the size. */
export function applyTo(view: View, transforms: readonly Transform[], random: Random, position: number): View {
  return transforms.reduce((current, transform, i) => {
    if ('sample' in transform) throw new TypeError('a transform that makes labels cannot stand inside another');
    const made = transform.view(current, random.fork(i), position);
    if (Array.isArray(made) || made.width !== current.width || made.height !== current.height) {
      throw new TypeError('a transform that changes the size or number of views cannot stand inside another');
    }
    return made;
  }, view);
}
