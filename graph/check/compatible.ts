/** Which outputs may be connected to which inputs. */
import type { Kind, PortType } from '../port.ts';

/** kinds that are tensors of a fixed meaning */
const TENSORS: ReadonlySet<Kind> = new Set(['image', 'label', 'index', 'scalar', 'tensor']);

/** Equal kinds; a tensor input takes any kind of tensor, and a tensor of whole numbers may serve as label or index. */
export function kindsFit(from: PortType, to: PortType): boolean {
  if (from.kind === to.kind) return true;
  if (to.kind === 'tensor') return TENSORS.has(from.kind);
  return (to.kind === 'label' || to.kind === 'index') && from.kind === 'tensor' && from.dtype === 'int32';
}

/** Why an output cannot feed an input, or undefined when it can. */
export function mismatch(from: PortType, to: PortType): { reason: string; cure?: string } | undefined {
  if (!kindsFit(from, to)) {
    return { reason: `gives ${article(from.kind)}, and ${article(to.kind)} is wanted`, cure: rateCure(from, to) };
  }
  if (from.rate !== to.rate) {
    return {
      reason: `gives a value ${RATES[from.rate]}, and one ${RATES[to.rate]} is wanted`,
      cure: rateCure(from, to),
    };
  }
  if (from.dtype && to.dtype && from.dtype !== to.dtype) {
    return { reason: `gives ${from.dtype} values, and ${to.dtype} is wanted` };
  }
  if (from.list && !to.list) return { reason: `gives a list of ${from.kind} values, and a single one is wanted` };
  return undefined;
}

const RATES = {
  once: 'once per run',
  sample: 'per sample',
  batch: 'per batch',
  phase: 'once per phase',
} as const;

function rateCure(from: PortType, to: PortType): string | undefined {
  if (from.rate === 'sample' && to.rate === 'batch') return 'Put a collator in between';
  if (from.rate === 'batch' && to.rate === 'once') return 'Put a features/bank in between';
  return undefined;
}

function article(kind: Kind): string {
  const name = { weights: 'weights', metrics: 'metrics' }[kind as 'weights'];
  return name ?? `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`;
}
