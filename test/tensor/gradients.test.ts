import assert from 'node:assert/strict';
import type { Tensor, TensorApi } from '../../runtime/tensor/types.ts';
import { checkGradients, onEachBackend, values } from './support.ts';

type Case = readonly [name: string, shapes: readonly number[][], f: (tf: TensorApi, ...x: any[]) => Tensor];

/** Values in (0.25, 1.25): away from the corners and poles of the functions below. */
const positive = (tf: TensorApi, x: Tensor): Tensor => tf.add(tf.mul(x, 0.5), 0.75);

const unary: Record<string, (tf: TensorApi, x: Tensor) => Tensor> = {
  abs: (tf, x) => tf.abs(x),
  acos: (tf, x) => tf.acos(tf.mul(x, 0.7)),
  acosh: (tf, x) => tf.acosh(tf.add(x, 3)),
  asin: (tf, x) => tf.asin(tf.mul(x, 0.7)),
  asinh: (tf, x) => tf.asinh(x),
  atan: (tf, x) => tf.atan(x),
  atanh: (tf, x) => tf.atanh(tf.mul(x, 0.7)),
  clipByValue: (tf, x) => tf.clipByValue(x, -0.5, 0.5),
  cos: (tf, x) => tf.cos(x),
  cosh: (tf, x) => tf.cosh(x),
  elu: (tf, x) => tf.elu(x),
  erf: (tf, x) => tf.erf(x),
  exp: (tf, x) => tf.exp(x),
  expm1: (tf, x) => tf.expm1(x),
  leakyRelu: (tf, x) => tf.leakyRelu(x, 0.2),
  log: (tf, x) => tf.log(positive(tf, x)),
  log1p: (tf, x) => tf.log1p(positive(tf, x)),
  neg: (tf, x) => tf.neg(x),
  reciprocal: (tf, x) => tf.reciprocal(positive(tf, x)),
  relu: (tf, x) => tf.relu(x),
  relu6: (tf, x) => tf.relu6(tf.mul(x, 9)),
  rsqrt: (tf, x) => tf.rsqrt(positive(tf, x)),
  selu: (tf, x) => tf.selu(x),
  sigmoid: (tf, x) => tf.sigmoid(x),
  sin: (tf, x) => tf.sin(x),
  sinh: (tf, x) => tf.sinh(x),
  softplus: (tf, x) => tf.softplus(x),
  sqrt: (tf, x) => tf.sqrt(positive(tf, x)),
  square: (tf, x) => tf.square(x),
  tan: (tf, x) => tf.tan(x),
  tanh: (tf, x) => tf.tanh(x),
};

const binary: Record<string, (tf: TensorApi, a: Tensor, b: Tensor) => Tensor> = {
  add: (tf, a, b) => tf.add(a, b),
  sub: (tf, a, b) => tf.sub(a, b),
  mul: (tf, a, b) => tf.mul(a, b),
  div: (tf, a, b) => tf.div(a, positive(tf, b)),
  pow: (tf, a, b) => tf.pow(positive(tf, a), b),
  squaredDifference: (tf, a, b) => tf.squaredDifference(a, b),
  maximum: (tf, a, b) => tf.maximum(a, b),
  minimum: (tf, a, b) => tf.minimum(a, b),
  atan2: (tf, a, b) => tf.atan2(a, positive(tf, b)),
  prelu: (tf, a, b) => tf.prelu(a, b),
};

const cases: Case[] = [
  ...Object.entries(unary).map(([name, f]): Case => [name, [[2, 3]], f]),
  ...Object.entries(binary).map(([name, f]): Case => [name, [[2, 3, 4], [4]], f]),
  ...Object.entries(binary)
    .filter(([name]) => name !== 'prelu')
    .map(
      ([name, f]): Case => [
        `${name}, the first broadcast`,
        [
          [3, 1],
          [2, 3, 2],
        ],
        f,
      ],
    ),
  ['mod', [[6]], (tf, a) => tf.mod(tf.add(tf.mul(a, 0.3), 1.05), 0.7)],
  [
    'where',
    [
      [2, 3],
      [2, 3],
    ],
    (tf, a, b) => tf.where(tf.tensor2d([1, 0, 1, 1, 0, 0], [2, 3], 'bool'), a, b),
  ],
  [
    'addN',
    [
      [2, 3],
      [2, 3],
      [2, 3],
    ],
    (tf, ...x) => tf.addN(x),
  ],
  ['sum', [[2, 3, 4]], (tf, x) => tf.sum(x, [0, 2])],
  ['sum of everything', [[2, 3]], (tf, x) => tf.sum(x)],
  ['mean', [[2, 3, 4]], (tf, x) => tf.mean(x, -2, true)],
  ['max', [[3, 4]], (tf, x) => tf.max(x, 1)],
  ['min', [[3, 4]], (tf, x) => tf.min(x, 0, true)],
  ['prod', [[2, 3, 2]], (tf, x) => tf.prod(tf.add(x, 1.5), [0, 2])],
  ['prod with a zero', [[5]], (tf, x) => tf.prod(tf.mul(tf.add(x, 1.5), tf.tensor1d([1, 1, 0, 1, 1])))],
  ['cumsum', [[3, 4]], (tf, x) => tf.cumsum(x, 1, true, false)],
  ['cumsum in reverse', [[3, 4]], (tf, x) => tf.cumsum(x, 0, false, true)],
  ['softmax', [[3, 4]], (tf, x) => tf.softmax(x)],
  ['logSoftmax', [[3, 4]], (tf, x) => tf.logSoftmax(x)],
  ['logSumExp', [[3, 4]], (tf, x) => tf.logSumExp(x, 1)],
  ['norm', [[3, 4]], (tf, x) => tf.norm(x, 2, 1)],
  ['reshape', [[3, 4]], (tf, x) => tf.reshape(x, [2, 6])],
  ['expandDims and squeeze', [[3, 1]], (tf, x) => tf.squeeze(tf.expandDims(x, 0))],
  ['transpose', [[2, 3, 4]], (tf, x) => tf.transpose(x, [2, 0, 1])],
  [
    'concat',
    [
      [2, 3],
      [2, 1],
    ],
    (tf, a, b) => tf.concat([a, b, a], -1),
  ],
  [
    'stack',
    [
      [2, 3],
      [2, 3],
    ],
    (tf, a, b) => tf.stack([a, b, a], 1),
  ],
  ['unstack', [[2, 3]], (tf, x) => tf.sub(tf.unstack(x, 1)[0], tf.unstack(x, 1)[2])],
  ['split', [[2, 5]], (tf, x) => tf.concat(tf.split(x, [2, 3], 1).toReversed(), 1)],
  ['slice', [[3, 4]], (tf, x) => tf.slice(x, [1, 0], [2, 3])],
  ['pad', [[2, 3]], (tf, x) => tf.pad(x, [[1, 0], [2, 1]])], // biome-ignore format: one line a case
  ['reverse', [[2, 3]], (tf, x) => tf.reverse(x, 1)],
  ['tile', [[2, 3]], (tf, x) => tf.tile(x, [2, 2])],
  ['broadcastTo', [[2, 1, 3]], (tf, x) => tf.broadcastTo(x, [4, 2, 5, 3])],
  ['gather', [[4, 3]], (tf, x) => tf.gather(x, tf.tensor1d([2, 0, 2], 'int32'))],
  ['gather along the last axis', [[2, 3, 4]], (tf, x) => tf.gather(x, tf.tensor2d([[3, 1], [1, 0]], [2, 2], 'int32'), 2)], // biome-ignore format: one line a case
  ['gather in batches', [[2, 4, 3]], (tf, x) => tf.gather(x, tf.tensor2d([[3, 1], [1, 1]], [2, 2], 'int32'), 1, 1)], // biome-ignore format: one line a case
  ['gather in batches, deeper', [[2, 2, 3]], (tf, x) => tf.gather(x, tf.tensor2d([[2, 1], [1, 1]], [2, 2], 'int32'), 2, 1)], // biome-ignore format: one line a case
  ['gatherND', [[3, 4]], (tf, x) => tf.gatherND(x, tf.tensor2d([[0, 1], [2, 3], [0, 1]], [3, 2], 'int32'))], // biome-ignore format: one line a case
  ['scatterND', [[3, 2]], (tf, x) => tf.scatterND(tf.tensor2d([[1], [0], [1]], [3, 1], 'int32'), x, [4, 2])],
  ['unsortedSegmentSum', [[4, 2]], (tf, x) => tf.unsortedSegmentSum(x, tf.tensor1d([1, -1, 0, 1], 'int32'), 3)],
  [
    'matMul',
    [
      [2, 3],
      [3, 4],
    ],
    (tf, a, b) => tf.matMul(a, b),
  ],
  [
    'matMul, first transposed',
    [
      [3, 2],
      [3, 4],
    ],
    (tf, a, b) => tf.matMul(a, b, true),
  ],
  [
    'matMul, second transposed',
    [
      [2, 3],
      [4, 3],
    ],
    (tf, a, b) => tf.matMul(a, b, false, true),
  ],
  [
    'matMul, both transposed',
    [
      [3, 2],
      [4, 3],
    ],
    (tf, a, b) => tf.matMul(a, b, true, true),
  ],
  [
    'matMul in batches',
    [
      [2, 2, 3],
      [1, 3, 2],
    ],
    (tf, a, b) => tf.matMul(a, b),
  ],
  [
    'einsum',
    [
      [2, 3],
      [3, 4],
    ],
    (tf, a, b) => tf.einsum('ij,jk->ki', a, b),
  ],
  ['einsum with a letter of one operand', [[2, 3, 2], [3]], (tf, a, b) => tf.einsum('aij,i->aj', a, b)],
  [
    'conv2d',
    [
      [1, 5, 4, 2],
      [3, 2, 2, 3],
    ],
    (tf, x, w) => tf.conv2d(x, w, [2, 1], 'same'),
  ],
  [
    'conv2dTranspose',
    [
      [1, 3, 3, 2],
      [3, 3, 1, 2],
    ],
    (tf, x, w) => tf.conv2dTranspose(x, w, [1, 6, 6, 1], 2, 'same'),
  ],
  [
    'depthwiseConv2d',
    [
      [1, 5, 5, 2],
      [3, 3, 2, 1],
    ],
    (tf, x, w) => tf.depthwiseConv2d(x, w, 2, 'same'),
  ],
  [
    'depthwiseConv2d with a multiplier',
    [
      [1, 4, 4, 2],
      [2, 2, 2, 2],
    ],
    (tf, x, w) => tf.depthwiseConv2d(x, w, 1, 'valid'),
  ],
  ['maxPool', [[1, 4, 4, 2]], (tf, x) => tf.maxPool(x, 2, 2, 'valid')],
  ['avgPool', [[1, 5, 5, 2]], (tf, x) => tf.avgPool(x, 3, 2, 'same')],
  ['maxPool3d', [[1, 4, 4, 2, 2]], (tf, x) => tf.maxPool3d(x, [2, 2, 2], 2, 'valid')],
  ['avgPool3d', [[1, 3, 5, 3, 1]], (tf, x) => tf.avgPool3d(x, [3, 3, 2], [2, 2, 1], 'same')],
  ['localResponseNormalization', [[1, 2, 2, 5]], (tf, x) => tf.localResponseNormalization(x, 2, 1, 0.5, 0.75)],
  ['depthToSpace', [[1, 2, 3, 8]], (tf, x) => tf.depthToSpace(x, 2)],
  ['stridedSlice', [[5, 4]], (tf, x) => tf.stridedSlice(x, [4, 0], [0, 4], [-2, 3])],
  ['mirrorPad, reflected', [[3, 4]], (tf, x) => tf.mirrorPad(x, [[2, 1], [0, 3]], 'reflect')], // biome-ignore format: one line a case
  ['mirrorPad, symmetric', [[2, 3]], (tf, x) => tf.mirrorPad(x, [[2, 1], [1, 3]], 'symmetric')], // biome-ignore format: one line a case
  ['resizeBilinear', [[1, 3, 3, 2]], (tf, x) => tf.image.resizeBilinear(x, [5, 4])],
  ['resizeNearestNeighbor', [[1, 3, 3, 2]], (tf, x) => tf.image.resizeNearestNeighbor(x, [5, 4])],
  ['spaceToBatchND', [[1, 4, 4, 1]], (tf, x) => tf.spaceToBatchND(x, [2, 2], [[0, 0], [0, 0]])], // biome-ignore format: one line a case
  ['batchToSpaceND', [[4, 2, 2, 1]], (tf, x) => tf.batchToSpaceND(x, [2, 2], [[0, 0], [0, 0]])], // biome-ignore format: one line a case
];

onEachBackend('gradients of tfjs operations agree with differences:', (get) => {
  for (const [name, shapes, f] of cases) {
    it(name, () => {
      const backend = get();
      const before = backend.memory();
      backend.scope(() => {
        const inputs = shapes.map((shape, k) => values(backend, k, shape));
        checkGradients(backend, inputs, (...x) => f(backend.tf, ...x), { step: 3e-3, tolerance: 4e-3 });
      });
      assert.deepEqual(backend.memory(), before);
    });
  }
});
