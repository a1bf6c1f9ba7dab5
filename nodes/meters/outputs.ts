/** What meters of several outputs share: ports, names, and the form of their values. */
import type { Report } from '../../graph/node-type.ts';
import type { PortType, PortValue } from '../../graph/port.ts';
import { batch, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';

export const outputsPort = batch.tensor('float32', undefined, {
  many: true,
  description: 'scores or logits [N, C], one or several outputs',
});

/** Class indices [N] (-1: none), or 1 and 0 per class [N, C]; soft labels too. */
export const targetPort: PortType = {
  rate: 'batch',
  kind: 'tensor',
  description: 'class index [N], -1 without one, or a number per class [N, C]',
};

export const validPort = batch.tensor('int32', ['N'], {
  optional: true,
  description: 'rows with 0, stand-ins for bad images, do not count',
});

export const namesParam = T.Optional(
  T.Array(T.String(), { description: 'one per output; default: the nodes that they come from' }),
);

/** Static: as many names as outputs. */
export function checkNames(
  names: readonly string[] | undefined,
  inputs: Readonly<Record<string, readonly PortValue[]>>,
  problem: Report,
): void {
  const count = inputs.outputs?.length ?? 0;
  if (!names || names.length === count) return;
  problem({
    at: 'names',
    message: `there are ${names.length} names for ${count} outputs`,
    cure: 'Give one per output, or none',
  });
}

/** Outputs of a batch as a flat list: each may be a list already. */
export const outputList = (outputs: unknown): Tensor[] => [outputs].flat(2) as Tensor[];

/**
 * A value per output: the value itself of a single output without a name, else values by name. Outputs of the same name
 * give a list.
 */
export function byOutput<A>(values: readonly A[], names: readonly string[] | undefined, refs: readonly string[] = []) {
  if (values.length === 1 && !names) return values[0];
  const own = names ?? defaultNames(values.length, refs);
  const result: Record<string, A | A[]> = {};
  for (const name of own) {
    const group = values.filter((_, i) => own[i] === name);
    result[name] = group.length === 1 ? group[0] : group;
  }
  return result;
}

/** "head_res4" of "head_res4.scores", when each output has a node of its own; else the references, or positions. */
function defaultNames(count: number, refs: readonly string[]): readonly string[] {
  if (refs.length !== count) return Array.from({ length: count }, (_, i) => String(i));
  const nodes = refs.map((ref) => ref.slice(0, ref.lastIndexOf('.')));
  return new Set(nodes).size === count ? nodes : refs;
}

/** 100·share, the share rounded to six decimals as in the reference code; 0 of nothing is 0. */
export const percent = (part: number, whole: number): number =>
  whole === 0 ? 0 : 100 * (Math.round((part / whole) * 1e6) / 1e6);
