/** Which GPU a rank computes on. */
import type { TensorBackend } from '../tensor/types.ts';
import type { Group } from './group.ts';
import { type Place, PlaceError } from './place.ts';

export const isOnCpu = ({ device }: TensorBackend): boolean => device.startsWith('CPU');

const listed = (devices: string): readonly string[] => devices.split(',').map((device) => device.trim());

/**
 * The one device that CUDA is to show to a rank that this launcher starts; '' where the list is too short: none.
 * @param visible CUDA_VISIBLE_DEVICES of the machine; undefined: all that it has
 */
export const deviceOfChild = (visible: string | undefined, localRank: number): string =>
  visible === undefined ? String(localRank) : (listed(visible)[localRank] ?? '');

/**
 * The same for a rank that another launcher has started, such as torchrun or srun, which leaves the choice to the rank
 * or shows each of its tasks one device: a single one is the rank's own.
 */
export const deviceOfRank = (visible: string | undefined, localRank: number): string =>
  visible !== undefined && listed(visible).length === 1 ? visible : deviceOfChild(visible, localRank);

/** Before a tensor library is loaded: from then on this process has the GPU of its rank alone. */
export function takeDevice({ localRank }: Place, env: NodeJS.ProcessEnv = process.env): void {
  env.CUDA_VISIBLE_DEVICES = deviceOfRank(env.CUDA_VISIBLE_DEVICES, localRank);
}

/**
 * All ranks compute on the CPU, or none: a rank without a GPU beside others with one would make them wait.
 * @throws PlaceError, on every rank
 */
export async function checkDevices(group: Group, backend: TensorBackend): Promise<void> {
  const onCpu = await group.gather(Int32Array.of(isOnCpu(backend) ? 1 : 0));
  const without = [...onCpu.keys()].filter((rank) => onCpu[rank] === 1);
  if (without.length === 0 || without.length === group.size) return;
  const [who, compute] = without.length === 1 ? ['rank', 'computes'] : ['ranks', 'compute'];
  throw new PlaceError(
    `${who} ${without.join(', ')} ${compute} on the CPU, the others on a GPU: a machine has fewer GPUs than ranks, or CUDA_VISIBLE_DEVICES lists fewer. Start as many ranks on each machine as it has GPUs; with CUDA_VISIBLE_DEVICES set to nothing all compute on the CPU`,
  );
}
