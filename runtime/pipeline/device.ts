/** Which backend a run gets: what was asked for, else the first that works here, in order of preference. */
import { availableBackends, openBackend } from '../tensor/backend.ts';
import type { BackendOptions } from '../tensor/backends/opener.ts';
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
  const states = await availableBackends();
  const known = states.map(({ name }) => name);
  if (device !== 'auto' && !known.includes(device)) {
    throw refusal(`there is no device "${device}"`, `Use auto, or one of ${known.join(', ')}`);
  }
  const state =
    device === 'auto' ? states.find(({ available }) => available) : states.find(({ name }) => name === device);
  if (!state?.available) throw refusal(`the device ${device} does not work here: ${state?.reason}`, state?.cure);
  const backend = await openBackend(state.name, options);
  if (required === 'gpu' && !/gpu|cuda|metal|vulkan/i.test(backend.device)) {
    throw refusal(
      `a GPU is required, but ${backend.name} runs on ${backend.device}`,
      'Leave out --require gpu, or see `pipe doctor` for what would add one',
    );
  }
  return backend;
}
