/** Gloo's collectives where every rank has them: the torch backend's tensors then need no way through this process. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GlooGroup } from '../tensor/backends/torch/collectives.ts';
import type { TensorBackend } from '../tensor/types.ts';
import { isOnCpu } from './devices.ts';
import type { Group } from './group.ts';

/** ms between two rounds in which the ranks tell each other how far they are */
const ROUND = 100;

/**
 * @returns undefined when one of the ranks cannot; all agree on it
 * @throws RankError when a rank is gone
 */
export async function joinGlooOver(group: Group, backend: TensorBackend): Promise<GlooGroup | undefined> {
  const { rank, size, host, address, limits } = group;
  const able = backend.name === 'torch' && isOnCpu(backend);
  const [unable] = await group.reduce(Int32Array.of(able ? 0 : 1), 'max');
  if (unable) return undefined;
  const { freePort } = await import('./free-port.ts');
  const [port] = await group.broadcast(Int32Array.of(rank === 0 ? await freePort() : 0), 0);
  const { joinGloo } = await import('../tensor/backends/torch/collectives.ts');
  const giveUp = new AbortController();
  const late = setTimeout(() => giveUp.abort(), limits.joinTimeout * 1000);
  const joining = joinGloo({
    rank,
    size,
    meet: { host, port },
    address,
    timeout: limits.patience,
    signal: giveUp.signal,
  });
  let joined = false;
  try {
    joined = await succeeds(group, joining);
    return joined ? await joining : undefined;
  } finally {
    clearTimeout(late);
    if (!joined) {
      giveUp.abort();
      (await joining.catch(() => undefined))?.close();
    }
  }
}

/**
 * Whether the work succeeds on every rank: the same answer for all, as soon as it has failed on one. The others would
 * wait long for that one by themselves, so they ask each other, again and again.
 */
async function succeeds(group: Group, work: Promise<unknown>): Promise<boolean> {
  let [waits, failed] = [1, 0];
  const settled = work.then(
    () => {
      waits = 0;
    },
    () => {
      failed = 1;
    },
  );
  for (;;) {
    await Promise.race([settled, sleep(ROUND)]);
    const [anyWaits, anyFailed] = await group.reduce(Int32Array.of(waits, failed), 'max');
    if (anyFailed) return false;
    if (!anyWaits) return true;
  }
}
