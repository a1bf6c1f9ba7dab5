/** Facts of datasets and transforms that are written inline in the params of another. */
import type { NestedNode, NodeDeclaration, NodeProblem } from './node-type.ts';
import type { SampleFacts } from './port.ts';

type Types = ReadonlyMap<string, NodeDeclaration>;

const NOTHING: SampleFacts = { views: [], dtype: 'uint8', labelled: false };

/** What samples of an inline dataset hold; nothing when its type is unknown, which is reported elsewhere. */
export function innerDatasetFacts(types: Types): (node: NestedNode) => SampleFacts {
  const facts = ({ dataset, ...params }: NestedNode): SampleFacts => {
    const declared = types.get(`dataset/${dataset}`);
    return declared?.role === 'dataset' ? declared.facts(params, facts) : NOTHING;
  };
  return facts;
}

/** What an inline transform makes of samples; problems name the transform. */
export function innerTransformFacts(
  types: Types,
  problem: (problem: NodeProblem) => void,
): (node: NestedNode, facts: SampleFacts) => SampleFacts {
  const facts = ({ transform, ...params }: NestedNode, before: SampleFacts): SampleFacts => {
    const declared = types.get(`transform/${transform}`);
    if (declared?.role !== 'transform') return before;
    const report = ({ at, message, cure }: NodeProblem) =>
      problem({ message: `${transform}${at ? `, ${at}` : ''}: ${message}`, cure });
    return declared.facts(before, params, report, facts);
  };
  return facts;
}
