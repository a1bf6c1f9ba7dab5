/** What tfjs fuses behind a product: bias, then an activation. */
import type { Handle } from '../../../native/addon.ts';
import { aten } from '../aten.ts';
import type { Attributes } from '../register.ts';

const add = aten('add.Tensor');
const where = aten('where.self');
const mul = aten('mul.Tensor');
const ge = aten('ge.Scalar');

const activations: Record<string, (y: Handle, slope: Handle | null, alpha: number) => Handle> = {
  linear: (y) => y,
  relu: (y) => aten('relu')(y),
  relu6: (y) => aten('clamp')(y, 0, 6),
  elu: (y) => aten('elu')(y, 1, 1, 1),
  sigmoid: (y) => aten('sigmoid')(y),
  leakyrelu: (y, _slope, alpha) => aten('leaky_relu')(y, alpha),
  prelu: (y, slope) => where(ge(y, 0), y, mul(y, slope!)),
};

/** `slope` and `bias` broadcast against y. */
export function finish(y: Handle, bias: Handle | null, slope: Handle | null, attributes: Attributes): Handle {
  const { activation = 'linear', leakyreluAlpha = 0.2 } = attributes;
  const apply = activations[activation ?? 'linear'];
  if (!apply) throw new Error(`there is no fused activation '${activation}'`);
  return apply(bias === null ? y : add(y, bias), slope, leakyreluAlpha);
}
