import type { BackendOpener, BackendState } from './opener.ts';
import { packageVersion } from './packages.ts';

const PACKAGE = '@tensorflow/tfjs-backend-wasm';

async function probe(): Promise<BackendState> {
  const version = packageVersion(PACKAGE);
  if (!version) return { name: 'wasm', available: false, reason: `${PACKAGE} is not installed`, cure: 'npm ci' };
  return { name: 'wasm', available: true, device: 'CPU, 1 thread, SIMD', version };
}

/**
 * The embedded default: XNNPACK compiled to WebAssembly, and the training kernels that tfjs's package lacks.
 * One thread: tfjs's threaded build needs a browser's workers and does not start in Node.
 */
const opener: BackendOpener = {
  precisions: ['float32'],
  probe,
  async open() {
    const { tf } = await import('../tfjs.ts');
    await import('@tensorflow/tfjs-backend-wasm');
    const { wasmKernels } = await import('./wasm/kernels.ts');
    const kernels = wasmKernels(); // before the backend starts: starting it sets them up
    if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend did not start: see the warning above');
    const state = await probe();
    return { device: state.device!, version: state.version!, kernels };
  },
};
export default opener;
