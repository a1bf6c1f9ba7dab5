/** Kernels that tfjs's WebGPU package lacks or has wrong. */
import * as tf from '@tensorflow/tfjs-core';
import { scope } from '../../scope.ts';
import type { Tensor } from '../../types.ts';
import { type HostAccess, hostKernel } from '../host.ts';
import type { DawnBackend } from './backend.ts';
import { MAX_PAD_AXES, padByAxis } from './pad.ts';
import { scanKernels } from './scan.ts';

type Kernel = (inputs: Record<string, Tensor>, attributes: any) => Tensor;

interface Replacement {
  /** in tfjs operations */
  readonly kernel: Kernel;
  /** where the package's own is left in place; default: nowhere */
  readonly unless?: (inputs: Record<string, Tensor>, attributes: any) => boolean;
}

const replacements: Readonly<Record<string, Replacement>> = {
  Cumsum: { kernel: scanKernels.Cumsum },
  Cumprod: { kernel: scanKernels.Cumprod },
  // its own forgets keepDims
  Prod: {
    kernel: ({ x }, { axis }) => {
      const axes = tf.util.parseAxisParam(axis, x.shape);
      const shape = x.shape.map((length, i) => (axes.includes(i) ? 1 : length));
      return tf.reshape(tf.prod(x, axis), shape);
    },
    unless: (_inputs, { keepDims }) => !keepDims,
  },
  PadV2: { kernel: padByAxis, unless: ({ x }) => x.shape.length <= MAX_PAD_AXES },
};

/** The package's own do not compile (the first two) or take any index for valid. */
const onHost: ReadonlySet<string> = new Set(['Bincount', 'DenseBincount', 'SparseSegmentMean', 'SparseSegmentSum']);

/** What tfjs's cpu backend has and the WebGPU one has not (ragged tensors, strings, lists of boxes) runs there, on copies. */
export function registerWebgpuKernels(backend: DawnBackend): void {
  for (const [kernelName, { kernel, unless }] of Object.entries(replacements)) {
    const stock = tf.getKernel(kernelName, 'webgpu')!.kernelFunc;
    tf.unregisterKernel(kernelName, 'webgpu');
    register(kernelName, (call) => {
      const inputs = call.inputs as Record<string, Tensor>;
      return unless?.(inputs, call.attrs) ? stock(call) : scope(() => kernel(inputs, call.attrs));
    });
  }
  const access: HostAccess = {
    read: ({ dataId }) => backend.readSync(dataId),
    write: (values, shape, dtype) => backend.write(values, shape, dtype),
  };
  for (const { kernelName } of tf.getKernelsForBackend('cpu')) {
    if (tf.getKernel(kernelName, 'webgpu')) {
      if (!onHost.has(kernelName)) continue;
      tf.unregisterKernel(kernelName, 'webgpu');
    }
    const kernel = hostKernel(kernelName, access);
    register(kernelName, ({ inputs, attrs }) => kernel(inputs as Record<string, tf.TensorInfo>, attrs ?? {}));
  }
}

const register = (kernelName: string, kernelFunc: tf.KernelFunc): void =>
  tf.registerKernel({ kernelName, backendName: 'webgpu', kernelFunc });
