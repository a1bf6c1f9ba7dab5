/** Whether a device computes in the precision that a document asks for: said before anything runs, at its place. */
import type { CheckedGraph } from '../../graph/checked.ts';
import type { ResolvedDocument } from '../../graph/document/resolve.ts';
import type { Problem } from '../../graph/problem.ts';
import { backendNames, backendState, precisionsOf } from '../tensor/backend.ts';
import type { Precision } from '../tensor/types.ts';

/** "run.precision" of a document. */
export interface AskedPrecision {
  readonly precision: Precision;
  /** where it stands */
  readonly place?: Pick<Problem, 'file' | 'line' | 'column'>;
}

export const askedPrecision = ({ locate }: ResolvedDocument, { run }: CheckedGraph): AskedPrecision => ({
  precision: run.precision,
  place: locate(['run', 'precision']),
});

export const precisionProblem = ({ place }: AskedPrecision, message: string, cure: string): Problem => ({
  layer: 'environment',
  ...place,
  where: 'run.precision',
  message,
  cure,
});

const listed = (words: readonly string[]): string => {
  const last = words.at(-1)!;
  return words.length === 1 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
};

/** What is known of the backends without loading one. */
interface Machine {
  readonly names: readonly string[];
  readonly precisionsOf: typeof precisionsOf;
  readonly stateOf: typeof backendState;
}

const thisOne: Machine = { names: backendNames, precisionsOf, stateOf: backendState };

/** @param device "auto", or one; whether that works here is not asked */
export async function checkPrecision(
  asked: AskedPrecision,
  device: string,
  { names, precisionsOf, stateOf }: Machine = thisOne,
): Promise<Problem[]> {
  const { precision } = asked;
  if (precision === 'float32' || (device !== 'auto' && !names.includes(device))) return [];
  const each = await Promise.all(names.map(async (name) => ({ name, precisions: await precisionsOf(name) })));
  const able = each.filter(({ precisions }) => precisions.includes(precision)).map(({ name }) => name);
  if (able.includes(device)) return [];
  if (device !== 'auto') {
    const { precisions } = each.find(({ name }) => name === device)!;
    const message = `the device ${device} computes in ${listed(precisions)} only, not in ${precision}`;
    return [precisionProblem(asked, message, `Use "precision": "float32", or the device ${able.join(' or ')}`)];
  }
  const states = await Promise.all(able.map(stateOf));
  if (states.some(({ available }) => available)) return [];
  const reasons = states.map(({ name, reason }) => `${name} could, but ${reason}`).join('; ');
  const cures = states.map(({ name, cure }) => `To add ${name}: ${cure}.`).join(' ');
  const message = `no device here computes in ${precision}: ${reasons}`;
  return [precisionProblem(asked, message, `${cures} Or use "precision": "float32"`)];
}

/** What is said where a device that would have been preferred is not taken. */
export const passedOver = (names: readonly string[], { precision }: AskedPrecision, taken: string): string =>
  `${listed(names)} ${names.length === 1 ? 'does' : 'do'} not compute in ${precision}: the run is on ${taken}`;
