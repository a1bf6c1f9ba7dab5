import type { BackendOpener, BackendState } from './opener.ts';
import { packageVersion } from './packages.ts';

const PACKAGE = '@tensorflow/tfjs-backend-cpu';

async function probe(): Promise<BackendState> {
  const version = packageVersion(PACKAGE);
  if (!version) return { name: 'cpu', available: false, reason: `${PACKAGE} is not installed`, cure: 'npm ci' };
  return { name: 'cpu', available: true, device: 'CPU, 1 thread, plain JavaScript', version };
}

/** tfjs's reference backend in plain JavaScript: slow, for comparison. */
const opener: BackendOpener = {
  precisions: ['float32'],
  probe,
  async open() {
    const { tf } = await import('../tfjs.ts');
    await import('@tensorflow/tfjs-backend-cpu');
    const backend = tf.findBackend('cpu') as unknown as { firstUse: boolean };
    backend.firstUse = false; // no advice to install other packages on the first operation
    const { cpuRows } = await import('./cpu-rows.ts');
    const state = await probe();
    return { device: state.device!, version: state.version!, kernels: cpuRows };
  },
};
export default opener;
