/** `pipe run` on several ranks: start them, or be one of them. */
import { type JoinedRanks, joinRanks } from '../distributed/join.ts';
import { launchRanks } from '../distributed/launcher.ts';
import { type Place, PlaceError, parseRendezvous, placeFromEnvironment, slurmMeeting } from '../distributed/place.ts';
import { reportEnd } from '../distributed/rank-end.ts';
import type { DocumentOptions } from '../pipeline/open.ts';
import { WrongRequest } from '../pipeline/wrong-request.ts';
import type { TensorBackend } from '../tensor/types.ts';

export interface RankOptions {
  /** on this machine */
  readonly ranks?: number;
  readonly nodes?: number;
  readonly nodeRank?: number;
  readonly rendezvous?: string;
  readonly restarts?: number;
  /** seconds */
  readonly rankTimeout?: number;
}

interface RunArguments extends DocumentOptions, RankOptions {
  readonly json?: boolean;
  readonly out?: string;
  readonly device?: string;
  readonly require?: string;
  readonly resume?: string;
  readonly fresh?: boolean;
  readonly workers?: number;
  readonly trace?: string;
}

const refuse = (message: string, cure?: string): WrongRequest =>
  new WrongRequest([{ layer: 'environment', message, cure }]);

/** Where this process stands among the ranks; undefined: it is alone. @throws WrongRequest */
export function ownPlace(): Place | undefined {
  return asked(() => placeFromEnvironment(process.env));
}

/** Whether this process is to start ranks, and is none itself. @throws WrongRequest */
export function startsRanks(options: RankOptions): boolean {
  for (const [name, least] of Object.entries({ ranks: 1, nodes: 1, nodeRank: 0, restarts: 0, rankTimeout: 1 })) {
    const value = options[name as keyof RankOptions];
    if (value === undefined || (Number.isInteger(value) && (value as number) >= least)) continue;
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw refuse(`--${flag} wants a whole number, ${least} or more`);
  }
  if (process.env.PIPE_LAUNCHED || (options.ranks === undefined && options.nodes === undefined)) return false;
  if (process.env.RANK === undefined) return true;
  throw refuse(
    '--ranks starts processes, but RANK is set: another launcher has started this one',
    'Leave out --ranks, or start the command without the other launcher',
  );
}

/** Start the ranks of this machine and wait for them. Returns the exit code. */
export async function launch(pipeline: string, overrides: readonly string[], options: RunArguments): Promise<number> {
  const { env } = process;
  const slurm = env.SLURM_STEP_ID !== undefined && Number(env.SLURM_STEP_NUM_NODES ?? 1) > 1;
  const nodes = options.nodes ?? (slurm ? Number(env.SLURM_STEP_NUM_NODES) : 1);
  const nodeRank = options.nodeRank ?? (slurm ? Number(env.SLURM_NODEID) : 0);
  if (nodeRank >= nodes) throw refuse(`--node-rank ${nodeRank} of ${nodes} nodes: they count from 0`);
  const meeting = options.rendezvous
    ? asked(() => parseRendezvous(options.rendezvous!, env))
    : nodes > 1
      ? slurmMeeting(env)
      : undefined;
  if (nodes > 1 && !meeting) {
    throw refuse(
      `${nodes} nodes, but no place to meet`,
      'Give every node the same --rendezvous tcp://<host of node 0>:<port>, or file:///<shared folder>',
    );
  }
  return launchRanks({
    command: (again) => runArguments(pipeline, overrides, options, again),
    ranks: options.ranks ?? 1,
    nodes,
    nodeRank,
    meeting,
    restarts: options.restarts ?? 0,
    timeout: options.rankTimeout,
    say: (text) => process.stderr.write(`${text}\n`),
  });
}

/** The command line of a rank. */
function runArguments(
  pipeline: string,
  overrides: readonly string[],
  options: RunArguments,
  again: boolean,
): readonly string[] {
  const { json, out, device, require, resume, fresh, workers, trace } = options;
  const valued = { out, device, require, workers, trace, ...(again ? {} : { resume }) };
  return [
    'run',
    pipeline,
    ...overrides,
    ...Object.entries(valued).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)])),
    ...(options.with ?? []).flatMap((file) => ['--with', file]),
    ...(options.plugin ?? []).flatMap((file) => ['--plugin', file]),
    ...(json ? ['--json'] : []),
    ...(fresh && !again ? ['--fresh'] : []),
  ];
}

/** Join the others; a rank whose launcher ends does not stay behind. */
export async function join(place: Place, backend: TensorBackend): Promise<JoinedRanks> {
  const timeout = Number(process.env.PIPE_RANK_TIMEOUT ?? 30);
  if (!(timeout > 0))
    throw refuse(`PIPE_RANK_TIMEOUT is "${process.env.PIPE_RANK_TIMEOUT}"; it must be a number of seconds`);
  return joinRanks(place, backend, timeout);
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
    if (error instanceof PlaceError) throw refuse(error.message);
    throw error;
  }
}
