/** PyTorch's padding in TensorFlow's words. */
import type { Pair } from '../../../types.ts';
import { int, text } from '../attributes.ts';
import type { Attribute } from '../binding.ts';

/** Windows of a size over an axis pair; all pairs are rows, columns. */
export interface Windows {
  readonly input: Pair;
  readonly output: Pair;
  readonly window: Pair;
  readonly stride: Pair;
  readonly before: Pair;
  readonly after: Pair;
}

export type Padding = 'VALID' | 'SAME' | 'EXPLICIT';

/** The rule of TensorFlow that gives these windows; its gradients are quick, some only there, by the first two. */
export function paddingRule({ input, output, window, stride, before, after }: Windows): Padding {
  if ([...before, ...after].every((pad) => pad === 0)) return 'VALID';
  const same = [0, 1].every((axis) => {
    if (output[axis] !== Math.ceil(input[axis] / stride[axis])) return false;
    const total = Math.max((output[axis] - 1) * stride[axis] + window[axis] - input[axis], 0);
    return Math.floor(total / 2) === before[axis];
  });
  return same ? 'SAME' : 'EXPLICIT';
}

export function paddingAttributes(rule: Padding, { before, after }: Windows): Attribute[] {
  if (rule !== 'EXPLICIT') return [text('padding', rule)];
  const pads = [0, 0, before[0], after[0], before[1], after[1], 0, 0];
  return [text('padding', rule), int('explicit_paddings', pads)];
}
