import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isBuilt } from '../native/cache.ts';
import { locateLibtorch } from '../native/locate.ts';
import { Missing } from '../native/missing.ts';
import type { BackendOpener, BackendOptions, BackendState, OpenedBackend } from './opener.ts';

/** A driver of NVIDIA's, on Linux or under WSL: PyPI's usual torch is built with CUDA and runs everywhere. */
const hasNvidia = (): boolean => ['/dev/nvidiactl', '/dev/dxg'].some(existsSync);

async function probe(): Promise<BackendState> {
  try {
    const libtorch = locateLibtorch();
    const version = libtorch.version.join('.');
    const state = { name: 'torch', version, device: libtorch.cuda && hasNvidia() ? 'CUDA' : 'CPU' };
    if (isBuilt(libtorch)) return { ...state, available: true };
    return {
      ...state,
      available: false,
      reason: `the add-on for libtorch ${version} is not built`,
      cure: 'pipe backends build torch',
    };
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    return { name: 'torch', available: false, reason: error.reason, cure: error.cure };
  }
}

/** PyTorch's kernels through our add-on: native speed, bfloat16, GPUs where libtorch has them. */
const opener: BackendOpener = {
  precisions: ['float32', 'bfloat16', 'float16'],
  probe,
  async open({ threads = availableParallelism(), crowded = false }: BackendOptions): Promise<OpenedBackend> {
    // read by OpenMP when it is loaded; its threads would spin for milliseconds before they sleep
    if (crowded) process.env.OMP_WAIT_POLICY ??= 'passive';
    const { tf } = await import('../tfjs.ts');
    const { addon, device, version } = await import('./torch/aten.ts');
    const { TorchBackend } = await import('./torch/backend.ts');
    const { kernels } = await import('./torch/kernels/all.ts');
    const { registerKernels } = await import('./torch/register.ts');
    const { fusedKernels } = await import('./torch/fused/all.ts');
    const { torchOps } = await import('./torch/fused/losses.ts');
    const { sync } = await import('./torch/sync.ts');
    const { setPrecision } = await import('./torch/precision.ts');
    const { torchStreams } = await import('./torch/streams.ts');
    const { heldBy } = await import('./torch/data.ts');
    addon.setThreads(threads); // libtorch's own default may be one
    registerKernels(kernels);
    tf.registerBackend('torch', () => new TorchBackend());
    if (!(await tf.setBackend('torch'))) throw new Error('the torch backend did not start: see the warning above');
    const place = device === 'cuda' ? 'CUDA' : `CPU, ${threads} thread${threads === 1 ? '' : 's'}`;
    const streams = device === 'cpu' ? {} : { streams: torchStreams(addon, device, heldBy) };
    return { device: place, version, kernels: fusedKernels, ops: torchOps, setPrecision, sync, ...streams };
  },
};
export default opener;
