/** `pipe run` on several ranks: start them. */
import { launchRanks } from '../distributed/launcher.ts';
import type { DocumentOptions } from '../pipeline/open.ts';
import { groupOf, type RankOptions } from '../pipeline/ranks.ts';

/** What `pipe run` takes. */
export interface RunArguments extends DocumentOptions, RankOptions {
  readonly json?: boolean;
  readonly out?: string;
  readonly device?: string;
  readonly require?: string;
  readonly resume?: string;
  readonly fresh?: boolean;
  readonly workers?: number;
  readonly trace?: string;
}

/** nodeRank → --node-rank */
export const flag = (option: string): string => `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Start the ranks of this machine and wait for them. Returns the exit code. */
export async function launch(pipeline: string, overrides: readonly string[], options: RunArguments): Promise<number> {
  const end = await launchRanks({
    ...groupOf(options, flag),
    command: (again) => [...process.execArgv, process.argv[1], ...runArguments(pipeline, overrides, options, again)],
    output: 'shown',
    onStop: listenForSignals,
    say: (text) => process.stderr.write(`${text}\n`),
  });
  return end.code;
}

function listenForSignals(stop: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  return () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  };
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
