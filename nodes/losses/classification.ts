/**
 * What PyTorch's classification losses share: params, ports, checks of targets, and the sum over several outputs.
 * −1 means here what it means in all of Pipe, no label: it counts neither in a sum nor in a mean. To PyTorch it is an
 * error or a number without meaning, so that whatever PyTorch defines is the same here.
 */
import type { StaticContext } from '../../graph/node-type.ts';
import type { PortType } from '../../graph/port.ts';
import { batch, type ComputeContext, T, type Values } from '../../runtime/node.ts';
import type { Tensor, TensorApi } from '../../runtime/tensor/types.ts';

type Tools = Pick<ComputeContext<unknown>, 'tf' | 'ops'>;

/** PyTorch's "none" is left out: what is trained on is one number. */
export const reductionParam = T.Union([T.Literal('mean'), T.Literal('sum')], {
  default: 'mean',
  description: 'how the losses of a batch become one',
});

export const classWeightParam = T.Optional(
  T.Array(T.Number(), { description: 'factor on the loss per class; default: all alike' }),
);

export const outputsPort = (what: string): PortType =>
  batch.tensor('float32', ['N', 'C'], {
    many: true,
    description: `${what}, one or several outputs; losses are summed`,
  });

/** Whole numbers or shares: any dtype. */
export const perClassPort = (description: string): PortType => ({
  rate: 'batch',
  kind: 'tensor',
  shape: ['N', 'C'],
  description,
});

/** An `infer`: as many numbers as classes in the params of these names. */
export const checkClassWeights =
  (...names: readonly string[]) =>
  ({ params, symbols, problem }: StaticContext<any>): Record<string, never> => {
    for (const at of names) {
      const [given, classes] = [params[at]?.length, symbols.C];
      if (given === undefined || classes === undefined || given === classes) continue;
      problem({ at, message: wrongCount(at, given, classes), cure: 'Give one per class, or none' });
    }
    return {};
  };

/** [C], 1 where no weights are given. */
export function classWeights(
  tf: TensorApi,
  name: string,
  weights: readonly number[] | undefined,
  classes: number,
): Tensor {
  if (!weights) return tf.ones([classes]);
  if (weights.length !== classes) throw new Error(wrongCount(name, weights.length, classes));
  return tf.tensor1d([...weights]);
}

const wrongCount = (name: string, given: number, classes: number) =>
  `${name} has ${given} numbers for ${classes} classes`;

/** The loss of one output against the target, summed over the outputs. */
export const overOutputs =
  (tf: TensorApi, one: (output: Tensor, target: Tensor) => Tensor | Promise<Tensor>) => async (inputs: Values) => {
    const losses: Tensor[] = [];
    for (const output of [inputs.outputs].flat() as Tensor[]) losses.push(await one(output, inputs.target));
    return { loss: tf.addN(losses) };
  };

export function requireSameShape(output: Tensor, target: Tensor): void {
  if (String(output.shape) === String(target.shape)) return;
  throw new Error(
    `an output has the shape [${output.shape}], and the target [${target.shape}]: it takes a number per class`,
  );
}

/** A label that no column stands for would silently count for nothing. */
export function requireClasses(labels: Int32Array, classes: number, ignoreIndex = -1): void {
  const largest = labels.reduce((a, b) => (b === ignoreIndex ? a : Math.max(a, b)), -1);
  if (largest < classes) return;
  throw new Error(`the label ${largest} does not fit ${classes} outputs. Give the last layer ${largest + 1} or more`);
}

/** The class of each row, on the device and as a weight on the host. */
export interface ChosenClasses {
  /** [N, C]: true at the class of a row that counts */
  readonly chosen: Tensor;
  /** of its class, by row; 0 where the row does not count */
  readonly weights: Float32Array;
  /** rows that count */
  readonly rows: number;
}

/** @throws Error when a label is no class */
export async function chosenClasses(
  { tf, ops }: Tools,
  output: Tensor,
  target: Tensor,
  { weight, ignoreIndex }: { readonly weight?: readonly number[]; readonly ignoreIndex?: number },
): Promise<ChosenClasses> {
  const [rows, classes] = output.shape as [number, number];
  if (output.shape.length !== 2 || String(target.shape) !== String([rows])) {
    throw new Error(`an output has the shape [${output.shape}], and the target [${target.shape}]: a class per row`);
  }
  if (weight && weight.length !== classes) throw new Error(wrongCount('weight', weight.length, classes));
  const labels = (await target.data()) as Int32Array;
  requireClasses(labels, classes, ignoreIndex);
  const wrong = labels.find((label) => label < -1 && label !== ignoreIndex);
  if (wrong !== undefined) throw new Error(`the label ${wrong} is no class; -1 stands for no label`);
  const counts = Float32Array.from(labels, (label) => (label === ignoreIndex || label === -1 ? 0 : 1));
  const weights = counts.map((count, row) => (count === 0 ? 0 : (weight?.[labels[row]] ?? 1)));
  const chosen = ops.noGrad(() => {
    const safe = tf.tensor1d(
      labels.map((label, row) => (counts[row] === 0 ? 0 : label)),
      'int32',
    );
    const oneHot = tf.cast(tf.oneHot(safe, classes), 'float32');
    return tf.cast(tf.mul(oneHot, tf.tensor2d(counts, [rows, 1])), 'bool');
  });
  return { chosen, weights, rows: counts.reduce((a, b) => a + b, 0) };
}

interface PerClassParams {
  readonly weight?: readonly number[];
  readonly reduction: 'mean' | 'sum';
}

/**
 * A loss that is a number for each class of each row, times the weight of the class. Entries whose target is −1 do not
 * count; a batch without any other has the loss 0.
 */
export const perClass = (
  { params, tf, ops }: Pick<ComputeContext<PerClassParams>, 'params' | 'tf' | 'ops'>,
  entries: (output: Tensor, target: Tensor) => Tensor,
) =>
  overOutputs(tf, (output, target) => {
    requireSameShape(output, target);
    const [known, shares] = ops.noGrad(() => {
      const counts = tf.cast(tf.notEqual(target, -1), 'float32');
      const divisor = params.reduction === 'mean' ? tf.maximum(tf.sum(counts), 1) : 1;
      const weight = classWeights(tf, 'weight', params.weight, output.shape[1]!);
      return [counts, tf.div(tf.mul(counts, weight), divisor)];
    });
    const losses = entries(output, tf.mul(tf.cast(target, 'float32'), known));
    return tf.sum(tf.mul(losses, shares));
  });

/**
 * −p·t·log σ(x) − (1 − t)·log(1 − σ(x)) for positive weights p. log σ(x) is −softplus(−x), which is max(−x, 0) +
 * log(1 + e^−|x|) whatever x is.
 */
export function binaryCrossEntropy(tf: TensorApi, x: Tensor, target: Tensor, positive?: Tensor): Tensor {
  const unlikely = tf.softplus(tf.neg(x));
  const weighted = positive ? tf.mul(unlikely, tf.add(1, tf.mul(tf.sub(positive, 1), target))) : unlikely;
  return tf.add(tf.mul(tf.sub(1, target), x), weighted);
}
