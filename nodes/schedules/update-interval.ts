import { T } from '../../runtime/node.ts';

/** The param that says when a schedule is read. */
export const updateInterval = (usual: 'step' | 'epoch') =>
  T.Union([T.Literal('step'), T.Literal('epoch')], {
    default: usual,
    description: 'when the value changes: at each step, or at the begin of each epoch',
  });

/** Guard against rounding at the borders of slices, as upstream. */
export const EPSILON = 1e-6;
