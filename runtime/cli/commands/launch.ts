/** `pipe launch slurm`: a script for sbatch. The pipeline is checked first: a job that cannot run is not queued. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { slurmScript } from '../../distributed/slurm.ts';
import { packageRoot } from '../../package.ts';
import { checkPipeline, type DocumentOptions, openPipeline } from '../../pipeline/open.ts';
import { WrongRequest } from '../../pipeline/wrong-request.ts';
import { exitCode } from '../output.ts';

interface SlurmOptions extends DocumentOptions {
  readonly nodes: number;
  readonly ranks: number;
  readonly gpus?: number;
  readonly cpus?: number;
  readonly memory?: string;
  readonly partition?: string;
  readonly time?: string;
  readonly comment?: string;
  readonly out?: string;
  readonly output?: string;
}

export async function slurm(pipeline: string, overrides: readonly string[], options: SlurmOptions): Promise<void> {
  for (const [name, value] of Object.entries({ nodes: options.nodes, ranks: options.ranks, cpus: options.cpus })) {
    if (value === undefined || (Number.isInteger(value) && value > 0)) continue;
    throw new WrongRequest([{ layer: 'environment', message: `--${name} wants a whole number, 1 or more` }]);
  }
  const graph = await checkPipeline(await openPipeline(pipeline, overrides, options), { device: null });
  const out = resolve(options.out ?? join('runs', graph.name));
  const script = slurmScript({
    ...options,
    name: graph.name,
    out,
    command: [
      process.execPath,
      join(packageRoot, 'bin', 'pipe.js'),
      'run',
      pipeline,
      ...overrides,
      ...(options.with ?? []).flatMap((file) => ['--with', file]),
      ...(options.plugin ?? []).flatMap((file) => ['--plugin', file]),
    ],
  });
  if (options.output === undefined) process.stdout.write(script);
  else {
    // sbatch writes its output there before the run makes the folder
    mkdirSync(out, { recursive: true });
    writeFileSync(options.output, script, { mode: 0o755 });
  }
  process.exitCode = exitCode.done;
}
