/** Gloo's collectives where every rank has them: the torch backend's tensors then need no way through this process. */

import type { GlooGroup } from '../tensor/backends/torch/collectives.ts';
import type { TensorBackend } from '../tensor/types.ts';
import type { Group } from './group.ts';

/** @returns undefined when one of the ranks cannot; all agree on it */
export async function joinGlooOver(group: Group, backend: TensorBackend): Promise<GlooGroup | undefined> {
  const able = async (works: boolean): Promise<boolean> =>
    (await group.reduce(Float32Array.of(works ? 0 : 1), 'max'))[0] === 0;
  if (!(await able(backend.name === 'torch' && backend.device.startsWith('CPU')))) return undefined;
  const { freePort } = await import('./free-port.ts');
  const [port] = await group.broadcast(Int32Array.of(group.rank === 0 ? await freePort() : 0), 0);
  const { joinGloo } = await import('../tensor/backends/torch/collectives.ts');
  const joined = await joinGloo({ rank: group.rank, size: group.size, meet: { host: group.host, port } }).catch(
    () => undefined,
  );
  if (await able(joined !== undefined)) return joined;
  joined?.close();
  return undefined;
}
