/** Several ranks: how many and where they meet, and being one of them. */
import { availableParallelism } from 'node:os';
import { takeDevice } from '../distributed/devices.ts';
import { type JoinedRanks, joinRanks } from '../distributed/join.ts';
import type { Meeting } from '../distributed/messages.ts';
import { type Place, PlaceError, parseRendezvous, placeFromEnvironment, slurmMeeting } from '../distributed/place.ts';
import { reportEnd } from '../distributed/rank-end.ts';
import type { BackendOptions } from '../tensor/backends/opener.ts';
import type { TensorBackend } from '../tensor/types.ts';
import { WrongRequest } from './wrong-request.ts';

export interface RankOptions {
  /** ranks on this machine, a process each */
  readonly ranks?: number;
  /** machines that take part, with as many ranks each; default 1, or what SLURM says */
  readonly nodes?: number;
  /** number of this machine, from 0; default 0, or what SLURM says */
  readonly nodeRank?: number;
  /** where ranks of several machines meet: tcp://host:port, file:///shared/folder, or env */
  readonly rendezvous?: string;
  /** times that a failed group begins again from the last checkpoint; default 0 */
  readonly restarts?: number;
  /** seconds without a sign of life after which a rank is dead; default 30 */
  readonly rankTimeout?: number;
}

/** Where the ranks of this machine stand among all. */
export interface Group {
  readonly ranks: number;
  readonly nodes: number;
  readonly nodeRank: number;
  readonly meeting?: Meeting;
  readonly restarts: number;
  readonly timeout?: number;
}

export const refuse = (message: string, cure?: string): WrongRequest =>
  new WrongRequest([{ layer: 'environment', message, cure }]);

/**
 * Where this process stands among the ranks; undefined: it is alone. From then on it has the GPU of its rank alone.
 * @throws WrongRequest
 */
export function ownPlace(): Place | undefined {
  const place = asked(() => placeFromEnvironment(process.env));
  if (place) takeDevice(place);
  return place;
}

/**
 * The cores of the machine that a rank's backend gets: its share of them, all when it is alone, and beside whom.
 * @param workers threads that decode images; negative: as many as cores allow
 */
export const coresOf = (place: Place | undefined, workers: number): Pick<BackendOptions, 'threads' | 'crowded'> => ({
  threads: place && Math.max(1, Math.floor(availableParallelism() / place.localSize)),
  crowded: place !== undefined || workers !== 0,
});

/**
 * Whether this process is to start ranks, and is none itself.
 * @param said how the caller calls an option, e.g. "--ranks"
 * @throws WrongRequest
 */
export function startsRanks(options: RankOptions, said: (option: string) => string): boolean {
  for (const [name, least] of Object.entries({ ranks: 1, nodes: 1, nodeRank: 0, restarts: 0, rankTimeout: 1 })) {
    const value = options[name as keyof RankOptions];
    if (value === undefined || (Number.isInteger(value) && (value as number) >= least)) continue;
    throw refuse(`${said(name)} wants a whole number, ${least} or more`);
  }
  if (process.env.PIPE_LAUNCHED || (options.ranks === undefined && options.nodes === undefined)) return false;
  if (process.env.RANK === undefined) return true;
  throw refuse(
    `${said('ranks')} starts processes, but RANK is set: another launcher has started this one`,
    `Leave out ${said('ranks')}, or start the command without the other launcher`,
  );
}

/** What the options and SLURM say of the group. @throws WrongRequest */
export function groupOf(options: RankOptions, said: (option: string) => string): Group {
  const { env } = process;
  const slurm = env.SLURM_STEP_ID !== undefined && Number(env.SLURM_STEP_NUM_NODES ?? 1) > 1;
  const nodes = options.nodes ?? (slurm ? Number(env.SLURM_STEP_NUM_NODES) : 1);
  const nodeRank = options.nodeRank ?? (slurm ? Number(env.SLURM_NODEID) : 0);
  if (nodeRank >= nodes) throw refuse(`${said('nodeRank')} ${nodeRank} of ${nodes} nodes: they count from 0`);
  const meeting = options.rendezvous
    ? asked(() => parseRendezvous(options.rendezvous!, env))
    : nodes > 1
      ? slurmMeeting(env)
      : undefined;
  if (nodes > 1 && !meeting) {
    throw refuse(
      `${nodes} nodes, but no place to meet`,
      `Give every node the same ${said('rendezvous')} tcp://<host of node 0>:<port>, or file:///<shared folder>`,
    );
  }
  const { ranks = 1, restarts = 0, rankTimeout: timeout } = options;
  return { ranks, nodes, nodeRank, meeting, restarts, timeout };
}

/** Join the others; a rank whose launcher ends does not stay behind. */
export async function join(place: Place, backend: TensorBackend): Promise<JoinedRanks> {
  const timeout = Number(process.env.PIPE_RANK_TIMEOUT ?? 30);
  if (!(timeout > 0))
    throw refuse(`PIPE_RANK_TIMEOUT is "${process.env.PIPE_RANK_TIMEOUT}"; it must be a number of seconds`);
  return joinRanks(place, backend, timeout).catch(refused);
}

/** Say what this process does when its launcher is gone: nothing more. */
export function endWithLauncher(): void {
  if (!process.env.PIPE_LAUNCHED || !process.channel) return;
  process.on('disconnect', () => process.exit(1));
  process.channel.unref();
}

/** Tell launcher and ranks. Returns whether the user hears it from another rank. */
export async function failTogether(error: unknown, place: Place, joined: JoinedRanks | undefined): Promise<boolean> {
  reportEnd(error);
  await joined?.leave((error as Error).message);
  return error instanceof WrongRequest && place.localRank > 0;
}

function asked<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    return refused(error);
  }
}

function refused(error: unknown): never {
  if (error instanceof PlaceError) throw refuse(error.message);
  throw error;
}
