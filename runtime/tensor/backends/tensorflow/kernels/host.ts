/** The kernels that run on the host, each with the reason. */
import * as tf from '@tensorflow/tfjs-core';
import type { Attributes } from '../../../gradients/register.ts';
import { hostKernel } from '../../host.ts';
import type { TensorflowBackend } from '../backend.ts';
import type { Kernel, Override } from './register.ts';
import { reachesBeyond } from './window.ts';

const always = [
  // the package has none, and training does not meet them
  ...['Draw', 'MaxPoolWithArgmax', 'RotateWithOffset', 'SearchSorted', 'Transform', 'DenseBincount'],
  ...['RaggedGather', 'RaggedRange', 'RaggedTensorToTensor'],
  ...['SparseFillEmptyRows', 'SparseReshape', 'SparseSegmentMean', 'SparseSegmentSum'],
  ...['StringNGrams', 'StringSplit', 'StringToHashBucketFast'],
  // draws by tfjs's generator, so that a seed means the same everywhere
  'Multinomial',
  // tfjs holds NaN equal to NaN
  'Unique',
];
/** TensorFlow compares strings for equality alone. */
const ofStrings = ['Greater', 'GreaterEqual', 'Less', 'LessEqual'];
/** TensorFlow's take padding by name, and no window larger than the input. */
const poolings = ['MaxPool3D', 'AvgPool3D', 'MaxPool3DGrad', 'AvgPool3DGrad'];

export function hostKernels(backend: TensorflowBackend): {
  kernels: Record<string, Kernel>;
  overrides: Record<string, Override>;
} {
  const host = (name: string): Kernel =>
    hostKernel(name, {
      read: ({ dataId }) => backend.readSync(dataId),
      write: (values, shape, dtype) => backend.write(values, shape, dtype),
    });
  const where =
    (name: string, condition: (inputs: Record<string, tf.Tensor>, attributes: Attributes) => boolean): Override =>
    (stock) =>
    (inputs, attributes) =>
      (condition(inputs, attributes) ? host(name) : stock)(inputs, attributes);
  return {
    kernels: Object.fromEntries(always.map((name) => [name, host(name)])),
    overrides: {
      ...Object.fromEntries(ofStrings.map((name) => [name, where(name, ({ a }) => a.dtype === 'string')])),
      // channels first is nothing that this project computes
      FusedConv2D: where('FusedConv2D', (_inputs, { dataFormat }) => dataFormat === 'NCHW'),
      MaxPool: where('MaxPool', ({ x }, attributes) => reachesBeyond(x.shape, attributes)),
      MaxPoolGrad: where('MaxPoolGrad', ({ input }, attributes) => reachesBeyond(input.shape, attributes)),
      ...Object.fromEntries(
        poolings.map((name) => [name, where(name, ({ x, input }, attributes) => !fits(x ?? input, attributes))]),
      ),
    },
  };
}

function fits(x: tf.Tensor, { filterSize, strides, pad, dimRoundingMode }: Attributes): boolean {
  if (pad !== 'same' && pad !== 'valid') return false;
  const shape = x.shape as [number, number, number, number, number];
  const { outShape } = tf.backend_util.computePool3DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  return outShape.every((length) => length > 0);
}
