import type { BackendOpener, BackendState, OpenedBackend } from './opener.ts';
import { packageVersion } from './packages.ts';
import { askAdapter, deviceName } from './webgpu/adapter.ts';

/** Dawn, the WebGPU of Chrome, for Node; and tfjs's kernels in WGSL. Both are optional dependencies. */
const PACKAGES = ['webgpu', '@tensorflow/tfjs-backend-webgpu'];

async function probe(): Promise<BackendState> {
  const name = 'webgpu';
  const missing = PACKAGES.filter((pack) => packageVersion(pack) === null);
  if (missing.length > 0) {
    const reason = `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not installed`;
    return { name, available: false, reason, cure: `npm install ${missing.join(' ')}` };
  }
  const version = packageVersion(PACKAGES[0])!;
  const answer = askAdapter();
  if ('reason' in answer) return { name, version, available: false, ...answer };
  return { name, version, available: true, device: deviceName(answer), software: answer.software };
}

/** Any GPU that Vulkan, Metal or Direct3D 12 reaches, without CUDA. */
const opener: BackendOpener = {
  precisions: ['float32'],
  probe,
  async open(): Promise<OpenedBackend> {
    const { tf } = await import('../tfjs.ts');
    const { openDevice } = await import('./webgpu/device.ts');
    const { createDawnBackend } = await import('./webgpu/backend.ts');
    const { registerWebgpuKernels } = await import('./webgpu/kernels.ts');
    const opened = await openDevice();
    const backend = await createDawnBackend(opened);
    registerWebgpuKernels(backend);
    tf.registerBackend('webgpu', () => backend);
    if (!(await tf.setBackend('webgpu'))) throw new Error('the webgpu backend did not start: see the warning above');
    const version = packageVersion(PACKAGES[0])!;
    return { device: deviceName(opened.facts), version, kernels: {}, sync: () => backend.finish() };
  },
};
export default opener;
