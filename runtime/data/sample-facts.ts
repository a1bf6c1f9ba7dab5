/** What is known of the samples of a chain before any is read. */
import { innerDatasetFacts, innerTransformFacts } from '../../graph/inner-facts.ts';
import type { NodeProblem } from '../../graph/node-type.ts';
import type { SampleFacts } from '../../graph/port.ts';
import type { NodeType } from '../node.ts';
import { typeOfRole } from './node-types.ts';
import { ProgramError } from './program-error.ts';
import type { NodeUse } from './tasks.ts';

/** A node's report of a mistake as an exception: the checks have reported all of them before. */
export function throwProblem({ name, type }: NodeUse): (problem: NodeProblem) => never {
  return ({ at, message, cure }) => {
    throw new ProgramError(`${name} (${type})${at ? `, ${at}` : ''}: ${message}${cure ? `. ${cure}` : ''}`);
  };
}

/** Facts of a dataset's samples after these transforms. Throws a ProgramError with the first mistake. */
export function sampleFacts(
  types: ReadonlyMap<string, NodeType>,
  dataset: NodeUse,
  transforms: readonly NodeUse[],
): SampleFacts {
  return transforms.reduce(
    (facts, use) =>
      typeOfRole(types, use.type, 'transform').facts(
        facts,
        use.params,
        throwProblem(use),
        innerTransformFacts(types, throwProblem(use)),
      ),
    datasetFacts(types, dataset),
  );
}

/** Facts of a dataset's samples. */
export function datasetFacts(types: ReadonlyMap<string, NodeType>, { type, params }: NodeUse): SampleFacts {
  return typeOfRole(types, type, 'dataset').facts(params, innerDatasetFacts(types));
}
