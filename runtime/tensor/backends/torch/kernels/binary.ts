/** Functions of two tensors, value by value, with broadcasting. */
import type { Handle } from '../../../native/addon.ts';
import { aten, scalarType } from '../aten.ts';
import { cast, exact, h, result } from '../data.ts';
import { unlessStrings } from '../host.ts';
import type { Kernel, Kernels } from '../register.ts';

const arithmetic: Record<string, string> = {
  Add: 'add.Tensor',
  Sub: 'sub.Tensor',
  Multiply: 'mul.Tensor',
  Maximum: 'maximum',
  Minimum: 'minimum',
};
const conditions: Record<string, string> = {
  Equal: 'eq.Tensor',
  NotEqual: 'ne.Tensor',
  Less: 'lt.Tensor',
  LessEqual: 'le.Tensor',
  Greater: 'gt.Tensor',
  GreaterEqual: 'ge.Tensor',
  LogicalAnd: 'logical_and',
  LogicalOr: 'logical_or',
};

const kernels: Record<string, Kernel> = {};
for (const [name, operator] of Object.entries(arithmetic)) {
  const f = aten(operator);
  kernels[name] = ({ a, b }) => result(f(h(a), h(b)), a.dtype);
}
for (const [name, operator] of Object.entries(conditions)) {
  const f = aten(operator);
  kernels[name] = unlessStrings(name, ({ a, b }) => result(f(h(a), h(b)), 'bool'));
}

const add = aten('add.Tensor');
const accumulate = aten('add_.Tensor');
const sub = aten('sub.Tensor');
const square = aten('square');
const div = aten('div.Tensor');
const divMode = aten('div.Tensor_mode');
const atan2 = aten('atan2');
const remainder = aten('remainder.Tensor');
const pow = aten('pow.Tensor_Tensor');
const bitwiseAnd = aten('bitwise_and.Tensor');

/** Integers go through float64, which holds them all: libtorch refuses to divide integers by zero. */
const wide = (handle: Handle): Handle => cast(handle, scalarType.float64);
/** As JavaScript stores a number in an Int32Array: what is not finite becomes 0. */
const toInteger = (handle: Handle): Handle => cast(finite(handle, 0, 0, 0), scalarType.int32);
const finite = aten('nan_to_num');

const onIntegers = (f: (a: Handle, b: Handle) => Handle): Kernel => {
  return ({ a, b }) => {
    if (a.dtype !== 'int32') return result(f(exact(a), exact(b)), a.dtype);
    return result(toInteger(f(wide(h(a)), wide(h(b)))), 'int32');
  };
};

export const binaryKernels: Kernels = {
  ...kernels,
  RealDiv: ({ a, b }) => result(div(h(a), h(b)), 'float32'),
  FloorDiv: ({ a, b }) => result(toInteger(divMode(wide(h(a)), wide(h(b)), 'floor')), 'int32'),
  Mod: onIntegers(remainder as (a: Handle, b: Handle) => Handle),
  Pow: onIntegers(pow as (a: Handle, b: Handle) => Handle),
  Atan2: ({ a, b }) => result(atan2(exact(a), exact(b)), 'float32'),
  BitwiseAnd: ({ a, b }) => result(bitwiseAnd(h(a), h(b)), 'int32'),
  SquaredDifference: ({ a, b }) => result(square(sub(exact(a), exact(b))), a.dtype),
  AddN: (inputs) => {
    const [first, second, ...rest] = Object.values(inputs);
    if (!second) return result(aten('clone')(h(first)), first.dtype, first.shape);
    const sum = add(h(first), h(second));
    for (const tensor of rest) accumulate(sum, h(tensor));
    return result(sum, first.dtype, first.shape);
  },
};
