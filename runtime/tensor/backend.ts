/** Open a tensor backend by name. Importing this file loads no tensor library; opening loads the one asked for. */
import type { BackendOpener, BackendOptions, BackendState } from './backends/opener.ts';
import type { Precision, TensorBackend } from './types.ts';

/** In order of preference where all are available. A further backend is one file and one line. */
const openers: Readonly<Record<string, () => Promise<{ default: BackendOpener }>>> = {
  torch: () => import('./backends/torch.ts'),
  tensorflow: () => import('./backends/tensorflow.ts'),
  webgpu: () => import('./backends/webgpu.ts'),
  wasm: () => import('./backends/wasm.ts'),
  cpu: () => import('./backends/cpu.ts'),
};

export const backendNames: readonly string[] = Object.keys(openers);

/** Whether this backend works here, and what would add it. Loads no tensor library. */
export async function backendState(name: string): Promise<BackendState> {
  try {
    const { default: opener } = await openers[name]();
    return await opener.probe();
  } catch (error) {
    // what it stands on is broken in a way that nobody thought of: that must not hide the others
    return { name, available: false, reason: (error as Error).message, cure: `install what ${name} stands on anew` };
  }
}

/** The state of each, in order of preference. */
export const availableBackends = (): Promise<BackendState[]> => Promise.all(backendNames.map(backendState));

/** What the matrix products of a backend can be in, as far as is known before it is opened; whether it works is not asked. */
export async function precisionsOf(name: string): Promise<readonly Precision[]> {
  const { default: opener } = await openers[name]();
  return opener.precisions;
}

const open = new Map<string, Promise<TensorBackend>>();

/**
 * Open a backend and make it the one that operations run on. A second call with the same name returns the same backend
 * (with the threads of the first call) and makes it current again.
 * @throws for an unknown name, with the known ones; where the backend does not work here, with what would add it
 */
export async function openBackend(name: string, options: BackendOptions = {}): Promise<TensorBackend> {
  const load = openers[name];
  if (!load) throw new Error(`there is no backend '${name}'; known: ${backendNames.join(', ')}`);
  let running = open.get(name);
  if (!running) {
    running = start(name, load, options);
    open.set(name, running);
    running.catch(() => open.delete(name));
  }
  const backend = await running;
  backend.activate();
  return backend;
}

async function start(
  name: string,
  load: () => Promise<{ default: BackendOpener }>,
  options: BackendOptions,
): Promise<TensorBackend> {
  const { default: opener } = await load();
  const state = await opener.probe();
  if (!state.available)
    throw new Error(`the backend '${name}' does not work here: ${state.reason}; to add it: ${state.cure}`);
  const opened = await opener.open(options);
  const { createBackend } = await import('./create.ts');
  return createBackend(name, opened);
}
