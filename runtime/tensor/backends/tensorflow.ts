import { availableParallelism } from 'node:os';
import { Missing } from '../native/missing.ts';
import { chooseBinding, nvidiaGpus } from '../native/tensorflow/choose.ts';
import type { BackendOpener, BackendOptions, BackendState, OpenedBackend } from './opener.ts';

const onCpu = (threads: number): string => `CPU, ${threads} thread${threads === 1 ? '' : 's'}`;
const onGpu = (): string => `GPU (${nvidiaGpus().join(', ') || 'of unknown name'})`;

async function probe(): Promise<BackendState> {
  try {
    const { version, cuda } = chooseBinding();
    const device = cuda && nvidiaGpus().length > 0 ? onGpu() : onCpu(availableParallelism());
    return { name: 'tensorflow', available: true, version, device };
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    return { name: 'tensorflow', available: false, reason: error.reason, cure: error.cure };
  }
}

/** TensorFlow's kernels through the binding of tfjs's npm package: CUDA and CPU. */
const opener: BackendOpener = {
  precisions: ['float32', 'bfloat16', 'float16'],
  probe,
  async open({ threads = availableParallelism() }: BackendOptions): Promise<OpenedBackend> {
    const { tf } = await import('../tfjs.ts');
    const { loadBinding } = await import('./tensorflow/binding.ts');
    const chosen = chooseBinding();
    const binding = loadBinding(chosen.path, threads);
    const { TensorflowBackend } = await import('./tensorflow/backend.ts');
    const { registerPackageKernels } = await import('./tensorflow/package.ts');
    const backend = new TensorflowBackend(binding);
    registerPackageKernels(chosen.tfjs.root, tf);
    const { tensorflowKernels } = await import('./tensorflow/all.ts');
    const { kernels, ops, setPrecision, sync } = tensorflowKernels(backend);
    tf.registerBackend('tensorflow', () => backend);
    if (!(await tf.setBackend('tensorflow')))
      throw new Error('the tensorflow backend did not start: see the warning above');
    const device = binding.isUsingGpuDevice() ? onGpu() : onCpu(threads);
    return { device, version: binding.TF_Version, kernels, ops, setPrecision, sync };
  },
};
export default opener;
