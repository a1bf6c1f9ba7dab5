/** Which backend a run gets: what was asked for, else the first that works here, in order of preference. */
import { availableBackends, backendNames, backendState, openBackend, precisionsOf } from '../tensor/backend.ts';
import type { BackendOptions, BackendState } from '../tensor/backends/opener.ts';
import { isMissing } from '../tensor/native/missing.ts';
import type { TensorBackend } from '../tensor/types.ts';
import { type AskedPrecision, checkPrecision, passedOver, precisionProblem } from './precision.ts';
import { WrongRequest } from './wrong-request.ts';

const refusal = (message: string, cure?: string): WrongRequest =>
  new WrongRequest([{ layer: 'environment', message, cure }]);

/**
 * @param say is told where a device that would have been preferred does not compute in the precision asked for
 * @throws WrongRequest when the device does not exist, does not work here, does not compute in the precision asked for, or
 * is not of the kind required
 */
export async function openDevice(
  device: string,
  required: string | undefined,
  options: BackendOptions,
  asked: AskedPrecision = { precision: 'float32' },
  say: (message: string) => void = () => undefined,
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
  const unable: string[] = [];
  for (const { name } of candidates) {
    if (!(await precisionsOf(name)).includes(asked.precision)) {
      unable.push(name);
      continue;
    }
    try {
      const backend = await openBackend(name, options);
      const refused = refusedPrecision(backend, asked);
      if (refused) {
        unable.push(name);
        problem ??= refused;
        continue;
      }
      if (required === undefined || GPU.test(backend.device)) {
        if (unable.length > 0) say(passedOver(unable, asked, name));
        return backend;
      }
      problem = refusal(
        `a GPU is required, but ${name} runs on ${backend.device}`,
        'Leave out --require gpu, or see `pipe doctor` for what would add one',
      );
    } catch (error) {
      if (!isMissing(error)) throw error;
      problem ??= refusal(`the device ${name} does not work here: ${error.reason}`, error.cure);
    }
  }
  const problems = problem ? [] : await checkPrecision(asked, device);
  if (problems.length > 0) throw new WrongRequest(problems);
  throw problem ?? refusal('no device works here', 'See `pipe backends` for what would add one');
}

/** Known of an opened backend only: what is installed may be too old for what the backend can do. */
function refusedPrecision(backend: TensorBackend, asked: AskedPrecision): WrongRequest | undefined {
  try {
    backend.withPrecision(asked.precision, () => undefined);
    return undefined;
  } catch (error) {
    if (!isMissing(error)) throw error;
    const cure = `Use "precision": ${asked.precision === 'float16' ? '"bfloat16" or ' : ''}"float32"`;
    return new WrongRequest([precisionProblem(asked, error.reason, cure)]);
  }
}

const GPU = /gpu|cuda|metal|vulkan/i;

/** GPUs first, in the order of backends otherwise; not a GPU's driver that computes on the CPU: wasm is faster. */
function byPreference(states: readonly BackendState[]): BackendState[] {
  const available = states.filter((state) => state.available && !state.software);
  const onGpu = (state: BackendState): boolean => GPU.test(state.device ?? '');
  return [...available.filter(onGpu), ...available.filter((state) => !onGpu(state))];
}
