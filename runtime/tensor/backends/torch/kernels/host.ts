/** The kernels that run on the host, each with the reason. */
import { onHost } from '../host.ts';
import type { Kernels } from '../register.ts';

const names = [
  // strings
  'StaticRegexReplace',
  'StringNGrams',
  'StringSplit',
  'StringToHashBucketFast',
  // ragged and sparse bookkeeping over few integers
  'RaggedGather',
  'RaggedRange',
  'RaggedTensorToTensor',
  'SparseFillEmptyRows',
  'SparseReshape',
  'SparseSegmentMean',
  'SparseSegmentSum',
  'BroadcastArgs',
  // one box, or one value, after another
  'NonMaxSuppressionV3',
  'NonMaxSuppressionV4',
  'NonMaxSuppressionV5',
  'Unique',
  'Bincount',
  'DenseBincount',
  // draws by tfjs's generator, so that a seed means the same everywhere
  'Multinomial',
  // sampling outside of libtorch's grids
  'CropAndResize',
  'RotateWithOffset',
  'Transform',
  'Dilation2D',
  'Dilation2DBackpropFilter',
  'Dilation2DBackpropInput',
  // a canvas
  'Draw',
];

export const hostKernels: Kernels = Object.fromEntries(names.map((name) => [name, onHost(name)]));
