/** From a place to the ranks that a run works with. */
import type { TensorBackend } from '../tensor/types.ts';
import { joinGroup } from './group.ts';
import type { Place } from './place.ts';
import { createRanks, type GroupRanks } from './ranks.ts';

export interface JoinedRanks {
  readonly ranks: GroupRanks;
  /** Leave; with a reason where this rank failed. */
  leave(reason?: string): Promise<void>;
}

/**
 * Join the other ranks.
 * @param timeout seconds without a sign of life after which a rank counts as dead; default 30
 * @throws RankError that names the rank that did not come; PlaceError where only some ranks have a GPU
 */
export async function joinRanks(place: Place, backend: TensorBackend, timeout = 30): Promise<JoinedRanks> {
  const { rank, size, meeting } = place;
  const group = await joinGroup({ rank, size, meeting, timeout });
  try {
    return { ranks: await createRanks(group, backend), leave: (reason) => group.close(reason) };
  } catch (error) {
    await group.close((error as Error).message);
    throw error;
  }
}
