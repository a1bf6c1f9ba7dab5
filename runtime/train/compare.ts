/**
 * What the weights of a run depend on, and what of it differs between a checkpoint and the pipeline at hand.
 *
 * In the signature: every node that a training phase reads (type, params, inputs), and of the run seed, precision and
 * the training phases. Not in it, and free to change between runs: hooks, epochs, workers, device, evaluate, other
 * phases, meters, evaluators, and names. Params of datasets are in it, but a difference there is only reported as long
 * as the number of samples is the same: folders move.
 */

export interface SignedNode {
  readonly type: string;
  readonly role: string;
  readonly params: unknown;
  /** "<phase>.<port>" → refs */
  readonly inputs: Readonly<Record<string, readonly string[]>>;
}

export interface Signature {
  readonly nodes: Readonly<Record<string, SignedNode>>;
  readonly run: Readonly<Record<string, unknown>>;
}

export interface Difference {
  /** "nodes.loss.params.temperature" */
  readonly where: string;
  readonly before: unknown;
  readonly now: unknown;
  /** the run may go on in spite of it */
  readonly harmless: boolean;
}

/** Differences in the order of the pipeline at hand; what only the checkpoint has comes last. */
export function compareSignatures(before: Signature, now: Signature): Difference[] {
  const found: Difference[] = [];
  const visit = (where: string, a: unknown, b: unknown, harmless: boolean): void => {
    if (Object.is(a, b)) return;
    if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) {
      found.push({ where, before: a, now: b, harmless });
      return;
    }
    for (const key of new Set([...Object.keys(b), ...Object.keys(a)])) {
      visit(`${where}.${key}`, own(a, key), own(b, key), harmless);
    }
  };
  for (const name of new Set([...Object.keys(now.nodes), ...Object.keys(before.nodes)])) {
    const [a, b] = [own(before.nodes, name), own(now.nodes, name)] as (SignedNode | undefined)[];
    const where = `nodes.${name}`;
    if (!a || !b || a.type !== b.type) {
      found.push({ where, before: a?.type, now: b?.type, harmless: false });
      continue;
    }
    visit(`${where}.params`, a.params, b.params, b.role === 'dataset');
    visit(`${where}.inputs`, a.inputs, b.inputs, false);
  }
  visit('run', before.run, now.run, false);
  return found;
}

export const formatDifference = ({ where, before, now }: Difference): string =>
  `${where}: ${show(before)} in the checkpoint, ${show(now)} now`;

const show = (value: unknown): string => (value === undefined ? 'absent' : JSON.stringify(value));

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const own = (object: object, key: string): unknown =>
  Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined;
