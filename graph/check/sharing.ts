/** Models that use the parameters of another, or follow them: both must be the same model. */
import { MODEL_KEYS, type ModelKeys } from '../model/keys.ts';
import { didYouMean } from '../problem.ts';
import type { Draft, Drafts } from './draft.ts';
import type { Report } from './report.ts';
import type { Inferred } from './shapes.ts';

/** The node whose parameters it shares or follows, if any. */
export function leaderOf({ declaration, params }: Draft): string | undefined {
  if (declaration?.role !== 'model') return undefined;
  const { shares, follows } = params as ModelKeys;
  return shares ?? follows?.node;
}

export function checkSharing(drafts: Drafts, inferred: ReadonlyMap<string, Inferred>, report: Report): void {
  for (const draft of drafts.values()) {
    const name = leaderOf(draft);
    if (name === undefined) continue;
    const found = mistake(draft, name, drafts, inferred);
    if (!found) continue;
    const key = (draft.params as ModelKeys).shares === undefined ? 'follows' : 'shares';
    report.add({ layer: 'wiring', path: ['nodes', draft.name, key], where: `${draft.name}.${key}`, ...found });
  }
}

interface Found {
  readonly message: string;
  readonly cure?: string;
}

function mistake(
  draft: Draft,
  name: string,
  drafts: Drafts,
  inferred: ReadonlyMap<string, Inferred>,
): Found | undefined {
  const { shares, follows, weights } = draft.params as ModelKeys;
  const leader = drafts.get(name);
  if (!leader) {
    return { message: `there is no node "${name}"`, cure: didYouMean(name, drafts.keys()) };
  }
  if (!leader.declaration) return undefined;
  const { role, type } = leader.declaration;
  if (role !== 'model') return { message: `${name} (${type}) is a ${role} and has no parameters`, cure: 'Name models' };
  if (shares !== undefined && follows) return { message: 'shares parameters and follows them', cure: 'Choose one' };
  if (weights !== undefined) {
    return { message: `has "weights", but its parameters come from ${name}`, cure: `Give the weights to ${name}` };
  }
  const second = leaderOf(leader);
  if (second !== undefined && (leader === draft || follows || (leader.params as ModelKeys).shares !== undefined)) {
    return { message: `${name} has no parameters of its own`, cure: second === draft.name ? '' : `Name ${second}` };
  }
  if (type !== draft.declaration!.type) {
    return { message: `${name} is ${type}, not ${draft.declaration!.type}`, cure: 'Both must be of one type' };
  }
  const differs = differentParam(draft, leader);
  if (differs) return { message: `${differs} is not that of ${name}`, cure: 'Give both the same params' };
  const tensors = (node: string) =>
    inferred.get(node)?.model?.parameters.map((parameter) => `${parameter.name} [${parameter.shape}]`);
  const [own, others] = [tensors(draft.name), tensors(name)];
  const odd = own && others && own.findIndex((tensor, i) => tensor !== others[i]);
  if (odd === undefined || odd < 0) return badMomentum(follows?.momentum);
  return { message: `its inputs make another model of it: ${own![odd]}, and ${name} has ${others![odd] ?? 'no such'}` };
}

function differentParam(draft: Draft, leader: Draft): string | undefined {
  if (!draft.valid || !leader.valid) return undefined;
  const keys = new Set([...Object.keys(draft.params), ...Object.keys(leader.params)]);
  return [...keys].find(
    (key) => !MODEL_KEYS.has(key) && JSON.stringify(draft.params[key]) !== JSON.stringify(leader.params[key]),
  );
}

function badMomentum(momentum: unknown): Found | undefined {
  if (typeof momentum !== 'number' || (momentum >= 0 && momentum <= 1)) return undefined;
  return { message: `momentum is ${momentum}`, cure: 'Give a number from 0 to 1, such as 0.999' };
}
