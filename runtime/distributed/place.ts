/** Which rank this process is, and where the ranks meet: from the environment, as torchrun or SLURM sets it. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Meeting } from './messages.ts';
import { slurmHosts } from './slurm.ts';

export interface Place {
  readonly rank: number;
  readonly size: number;
  /** number among the ranks of this machine, and how many those are */
  readonly localRank: number;
  readonly localSize: number;
  readonly meeting: Meeting;
}

/** The environment, or a request, names no possible place. */
export class PlaceError extends Error {
  override readonly name = 'PlaceError';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** torchrun's own store listens at MASTER_PORT then: rank 0 takes the next one. */
const portShift = (env: Environment): number => (env.TORCHELASTIC_USE_AGENT_STORE === 'True' ? 1 : 0);

/**
 * The place of this process by RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT, or
 * PIPE_RENDEZVOUS in place of the last two; else by the variables of SLURM's tasks. Undefined: this process is alone.
 * @throws PlaceError when the variables do not fit together
 */
export function placeFromEnvironment(env: Environment): Place | undefined {
  if (env.RANK !== undefined || env.WORLD_SIZE !== undefined) {
    const rank = number(env, 'RANK');
    const size = number(env, 'WORLD_SIZE');
    if (size < 1 || rank >= size) throw new PlaceError(`RANK ${rank} of WORLD_SIZE ${size}: ranks count from 0`);
    if (size === 1) return undefined;
    const localRank = env.LOCAL_RANK === undefined ? rank : number(env, 'LOCAL_RANK');
    const localSize = env.LOCAL_WORLD_SIZE === undefined ? size : number(env, 'LOCAL_WORLD_SIZE');
    return { rank, size, localRank, localSize, meeting: meetingFromEnvironment(env) };
  }
  if (env.SLURM_STEP_ID === undefined || number(env, 'SLURM_STEP_NUM_TASKS', 1) <= 1) return undefined;
  return {
    rank: number(env, 'SLURM_PROCID'),
    size: number(env, 'SLURM_STEP_NUM_TASKS'),
    localRank: number(env, 'SLURM_LOCALID'),
    localSize: Math.ceil(number(env, 'SLURM_STEP_NUM_TASKS') / number(env, 'SLURM_STEP_NUM_NODES', 1)),
    meeting: slurmMeeting(env)!,
  };
}

function meetingFromEnvironment(env: Environment): Meeting {
  if (env.PIPE_RENDEZVOUS) return parseRendezvous(env.PIPE_RENDEZVOUS, env);
  if (!env.MASTER_ADDR || !env.MASTER_PORT) {
    throw new PlaceError(
      'RANK and WORLD_SIZE are set, but MASTER_ADDR and MASTER_PORT do not say where the ranks meet',
    );
  }
  return { kind: 'tcp', host: env.MASTER_ADDR, port: number(env, 'MASTER_PORT') + portShift(env) };
}

/** "tcp://host:port", "file:///folder" (or a path), or "env": MASTER_ADDR and MASTER_PORT. @throws PlaceError */
export function parseRendezvous(text: string, env: Environment): Meeting {
  if (text === 'env' || text === 'env://') return meetingFromEnvironment({ ...env, PIPE_RENDEZVOUS: undefined });
  if (text.startsWith('file:')) {
    try {
      return { kind: 'file', folder: fileURLToPath(text) };
    } catch (error) {
      throw new PlaceError(`the rendezvous ${text} is no folder: ${(error as Error).message}`);
    }
  }
  const tcp = /^(?:tcp:\/\/)?(?:\[([^\]]+)\]|([^:/]+)):(\d+)$/.exec(text);
  if (tcp && Number(tcp[3]) > 0 && Number(tcp[3]) < 65536) {
    return { kind: 'tcp', host: tcp[1] ?? tcp[2], port: Number(tcp[3]) };
  }
  if (text.startsWith('/') || text.startsWith('./')) return { kind: 'file', folder: resolve(text) };
  throw new PlaceError(`the rendezvous "${text}" is neither tcp://host:port, nor file:///folder, nor env`);
}

/** Where the tasks of a SLURM job meet: at its first machine, at a port made from the job's number. */
export function slurmMeeting(env: Environment): Meeting | undefined {
  const hosts = slurmHosts(env.SLURM_STEP_NODELIST ?? env.SLURM_JOB_NODELIST ?? '');
  if (hosts.length === 0) return undefined;
  return { kind: 'tcp', host: hosts[0], port: 40050 + (number(env, 'SLURM_JOB_ID', 0) % 20000) };
}

function number(env: Environment, name: string, missing?: number): number {
  const text = env[name];
  if (text === undefined && missing !== undefined) return missing;
  if (text === undefined || !/^\d+$/.test(text)) {
    throw new PlaceError(`${name} is ${text === undefined ? 'not set' : `"${text}"`}; it must be a whole number`);
  }
  return Number(text);
}
