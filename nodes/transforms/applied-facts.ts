import { formatShape } from '../../graph/dim.ts';
import type { NestedNode, Report } from '../../graph/node-type.ts';
import type { SampleFacts } from '../../graph/port.ts';

/**
 * Facts after transforms that each view gets with a probability. They may change the size of a view only when that does
 * not depend on chance, and neither labels nor the number of views.
 */
export function appliedFacts(
  facts: SampleFacts,
  transforms: readonly (number | NestedNode)[],
  probability: (position: number) => number,
  problem: Report,
  inner: (transform: NestedNode, facts: SampleFacts) => SampleFacts,
): SampleFacts {
  const refuse = (what: string) =>
    problem({ at: 'transforms', message: `a transform that makes ${what} cannot stand inside another` });
  const views = facts.views.map((view, position) => {
    const p = probability(position);
    if (p === 0) return view;
    const alone: SampleFacts = { ...facts, views: [view] };
    const after = transforms.reduce<SampleFacts>((before, node) => inner(node as NestedNode, before), alone);
    if (after.labelSize !== facts.labelSize || after.classes !== facts.classes || after.labelled !== facts.labelled) {
      refuse('labels');
    }
    if (after.views.length !== 1) {
      refuse('several views');
      return view;
    }
    const [was, becomes] = [formatShape(view), formatShape(after.views[0])];
    if (p < 1 && becomes !== was) {
      const message = `view ${position} would be ${becomes} with probability ${p}, and ${was} else`;
      problem({ at: 'transforms', message, cure: 'Use transforms that keep the size, or a probability of 0 or 1' });
    }
    return p < 1 ? view : after.views[0];
  });
  return { ...facts, views };
}
