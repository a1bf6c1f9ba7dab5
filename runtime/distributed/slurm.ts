/** SLURM's compact lists of machines, and the script of a job. */

/** "node[01-03,7],login" → node01, node02, node03, node7, login */
export function slurmHosts(list: string): string[] {
  const parts = list.match(/[^,[]+(?:\[[^\]]*\])?[^,[]*/g) ?? [];
  return parts.flatMap((part) => {
    const found = /^([^[]*)\[([^\]]*)\](.*)$/.exec(part);
    if (!found) return [part];
    const [, before, ranges, after] = found;
    return ranges.split(',').flatMap((range) => {
      const [from, to = from] = range.split('-');
      const count = Number(to) - Number(from) + 1;
      return Array.from(
        { length: count },
        (_, i) => before + String(Number(from) + i).padStart(from.length, '0') + after,
      );
    });
  });
}

export interface SlurmJob {
  readonly name: string;
  readonly nodes: number;
  /** ranks per machine */
  readonly ranks: number;
  readonly gpus?: number;
  readonly cpus?: number;
  /** as SLURM writes it: "250G" */
  readonly memory?: string;
  readonly partition?: string;
  /** as SLURM writes it: "72:00:00" */
  readonly time?: string;
  readonly comment?: string;
  readonly out: string;
  /** arguments of `pipe run` */
  readonly command: readonly string[];
}

/**
 * A script for sbatch: one launcher per machine. Two minutes before the time is over, or when the job is to make room,
 * the run writes a checkpoint and the job is queued again; it goes on from there.
 */
export function slurmScript(job: SlurmJob): string {
  const option = (name: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [`#SBATCH --${name}=${value}`];
  return [
    '#!/bin/bash',
    ...option('job-name', job.name),
    ...option('nodes', job.nodes),
    ...option('ntasks-per-node', 1),
    ...option('cpus-per-task', job.cpus),
    ...option('gpus-per-node', job.gpus),
    ...option('mem', job.memory),
    ...option('partition', job.partition),
    ...option('time', job.time),
    ...option('comment', job.comment && quote(job.comment)),
    ...option('output', quote(`${job.out}/slurm-%j.out`)),
    '#SBATCH --signal=B:USR1@120',
    '#SBATCH --requeue',
    '#SBATCH --open-mode=append',
    '',
    `srun --kill-on-bad-exit=1 ${job.command.map(quote).join(' ')} --ranks ${job.ranks} --out ${quote(job.out)} &`,
    'run=$!',
    'requeue() {',
    '  scancel --signal=TERM "$SLURM_JOB_ID.0"',
    '  wait "$run"',
    '  scontrol requeue "$SLURM_JOB_ID"',
    '}',
    'trap requeue USR1',
    'wait "$run"',
    '',
  ].join('\n');
}

/** A word for bash. */
const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
