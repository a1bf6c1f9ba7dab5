/** Which backend a run gets: what was asked for, else the first that works here, in order of preference. */
import { availableBackends, backendNames, backendState, openBackend } from '../tensor/backend.ts';
import type { BackendOptions, BackendState } from '../tensor/backends/opener.ts';
import { isMissing } from '../tensor/native/missing.ts';
import type { TensorBackend } from '../tensor/types.ts';
import { WrongRequest } from './wrong-request.ts';

const refusal = (message: string, cure?: string): WrongRequest =>
  new WrongRequest([{ layer: 'environment', message, cure }]);

/** @throws WrongRequest when the device does not exist, does not work here, or is not of the kind required */
export async function openDevice(
  device: string,
  required: string | undefined,
  options: BackendOptions,
): Promise<TensorBackend> {
  if (required !== undefined && required !== 'gpu') {
    throw refusal(`--require ${required} is not known`, 'The only kind that can be required is gpu');
  }
  if (device !== 'auto' && !backendNames.includes(device)) {
    throw refusal(`there is no device "${device}"`, `Use auto, or one of ${backendNames.join(', ')}`);
  }
  const state = device === 'auto' ? undefined : await backendState(device);
  if (state && !state.available) throw refusal(`the device ${device} does not work here: ${state.reason}`, state.cure);
  const candidates = state ? [state] : byPreference(await availableBackends());
  let problem: WrongRequest | undefined;
  for (const { name } of candidates) {
    try {
      const backend = await openBackend(name, options);
      if (required === undefined || GPU.test(backend.device)) return backend;
      problem = refusal(
        `a GPU is required, but ${name} runs on ${backend.device}`,
        'Leave out --require gpu, or see `pipe doctor` for what would add one',
      );
    } catch (error) {
      if (!isMissing(error)) throw error;
      problem ??= refusal(`the device ${name} does not work here: ${error.reason}`, error.cure);
    }
  }
  throw problem ?? refusal('no device works here', 'See `pipe backends` for what would add one');
}

const GPU = /gpu|cuda|metal|vulkan/i;

/** GPUs first, in the order of backends otherwise; not a GPU's driver that computes on the CPU: wasm is faster. */
function byPreference(states: readonly BackendState[]): BackendState[] {
  const available = states.filter((state) => state.available && !state.software);
  const onGpu = (state: BackendState): boolean => GPU.test(state.device ?? '');
  return [...available.filter(onGpu), ...available.filter((state) => !onGpu(state))];
}
