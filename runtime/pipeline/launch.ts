/** Run a pipeline on several ranks from a program: processes of the package, not of the program. */
import { fileURLToPath } from 'node:url';
import { type LaunchEnd, launchRanks } from '../distributed/launcher.ts';
import type { RunResult } from '../engine/session.ts';
import type { PipelineDocument } from './open.ts';
import type { FromRank, ToRank } from './rank.ts';
import { groupOf, type RankOptions, refuse } from './ranks.ts';
import type { RunListeners, RunRequest } from './run.ts';

/** @param document whole: with its overrides, without parts to merge */
export async function launchPipeline(
  document: PipelineDocument,
  request: RunRequest,
  { signal, stopNow, onEvent }: RunListeners,
  options: RankOptions,
): Promise<RunResult> {
  let result: RunResult | undefined;
  let iteration = 0;
  let again = false;
  const { code, failed }: LaunchEnd = await launchRanks({
    ...groupOf(options, (option) => option),
    command(isAgain) {
      again = isAgain;
      return rankCommand();
    },
    output: 'hidden',
    onStop: (stop) => bothOf(signal, stopNow, stop),
    stopRank: (child) => child.connected && child.send({ stop: true } satisfies ToRank),
    onStart(child) {
      // a group that begins again goes on from the last checkpoint
      const given = again ? { ...request, resume: 'auto' } : request;
      child.send({ document, request: given } satisfies ToRank);
    },
    onMessage(localRank, message) {
      if (localRank > 0) return;
      const told = message as FromRank;
      if ('result' in told) {
        result = told.result;
        return;
      }
      if ('progress' in told.event) iteration = told.event.progress.iteration;
      onEvent?.(told.event);
    },
    say: (message) => onEvent?.({ type: 'notice', level: 'warning', from: 'ranks', message }),
  });
  if (failed && code === 2) throw refuse(failed.message);
  if (failed) throw new Error(`rank ${failed.rank} failed: ${failed.message}`);
  // ranks that were stopped at once say no more
  return result ?? { status: 'stopped', iteration, metrics: {} };
}

/** The module of a rank, from the sources or from the compiled files. */
function rankCommand(): string[] {
  const base = import.meta.url;
  const beside = (path: string): string => fileURLToPath(new URL(path, base));
  if (!base.endsWith('.ts')) return [beside('./rank.js')];
  return [beside('../data/from-sources.mjs'), new URL('./rank.ts', base).href];
}

function bothOf(first: AbortSignal, second: AbortSignal, stop: (signal: NodeJS.Signals) => void): () => void {
  const asked = () => stop('SIGINT');
  for (const signal of [first, second]) {
    if (signal.aborted) asked();
    else signal.addEventListener('abort', asked);
  }
  return () => {
    for (const signal of [first, second]) signal.removeEventListener('abort', asked);
  };
}
