/** What transforms share. */
import { Type as T } from '#typebox';
import type { Report } from '../../graph/node-type.ts';
import { type SampleFacts, type Shape, sample } from '../../graph/port.ts';
import type { View } from '../../runtime/data/sample.ts';

/** Every transform takes samples and gives samples. */
export const ports = { inputs: { samples: sample.sample() }, outputs: { samples: sample.sample() } } as const;

/** The param that limits a transform to some views. */
export const indices = {
  indices: T.Optional(
    T.Array(T.Integer({ minimum: 0 }), { description: 'positions of the views to apply it to; default all' }),
  ),
};

export const probability = (value: number, description: string) =>
  T.Number({ default: value, minimum: 0, maximum: 1, description });

/** A range of positive numbers, as [low, high]. */
export const range = (value: readonly [number, number], description: string, minimum = 0) =>
  T.Tuple([T.Number({ minimum }), T.Number({ minimum })], { default: [...value], description });

/** Facts after a change of each chosen view; a list of shapes stands for a view that becomes several. */
export function eachView(
  facts: SampleFacts,
  chosen: readonly number[] | undefined,
  change: (view: Shape, position: number) => Shape | readonly Shape[],
): SampleFacts {
  const several = (shapes: Shape | readonly Shape[]): shapes is readonly Shape[] => Array.isArray(shapes[0]?.[0]);
  const views = facts.views.flatMap((view, position) => {
    if (chosen && !chosen.includes(position)) return [view];
    const changed = change(view, position);
    return several(changed) ? changed : [changed];
  });
  return { ...facts, views };
}

/** Reports positions in `indices` that no view has. */
export function checkIndices(facts: SampleFacts, chosen: readonly number[] | undefined, problem: Report): void {
  const beyond = chosen?.find((position) => position >= facts.views.length);
  if (beyond === undefined) return;
  const count = facts.views.length;
  problem({
    at: 'indices',
    message: `there is no view ${beyond}: samples have ${count} view${count === 1 ? '' : 's'} here, counted from 0`,
  });
}

/** Facts of a transform that changes values and not sizes, and works on bytes. */
export function onBytes(facts: SampleFacts, chosen: readonly number[] | undefined, problem: Report): SampleFacts {
  checkIndices(facts, chosen, problem);
  checkBytes(facts, problem);
  return facts;
}

/** Reports a transform of bytes that comes after to_tensor or normalize. */
export function checkBytes(facts: SampleFacts, problem: Report): void {
  if (facts.dtype === 'uint8') return;
  problem({
    message: 'it works on bytes, and the values are floats here',
    cure: 'Put it before transform/to_tensor and transform/normalize',
  });
}

/** A view of this height and width, and the channels of another. */
export const resized = (view: Shape, height: number, width: number): Shape => [[height], [width], view[2]];

/** The conversion to floats that `from` asks for, on a view cut out of it. */
export const withForm = (view: View, from: View): View => (from.tensor ? { ...view, tensor: from.tensor } : view);
