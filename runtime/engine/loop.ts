/** The order of a run: once-values, epochs of phases, evaluations, the final checkpoint. */

import { checkpointName } from '../train/checkpoint.ts';
import { evaluate, prepareOnce } from './evaluate.ts';
import { runPhase } from './phase.ts';
import { trains } from './plan.ts';
import { writeCheckpoint } from './save.ts';
import type { RunResult, Session } from './session.ts';
import { isStop } from './stop.ts';

/** Run to the end, or to where a stop is asked for. Errors are told to the hooks, then thrown. */
export async function runSession(session: Session): Promise<RunResult> {
  const { counters, lastMetrics: metrics, bus } = session;
  const result = (status: RunResult['status']): RunResult => ({
    status,
    iteration: counters.position.iteration,
    metrics,
    checkpoint: session.lastCheckpoint,
  });
  try {
    await runEpochs(session);
    return result('done');
  } catch (error) {
    if (isStop(error)) {
      if (session.stop.now.aborted) return { ...result('stopped'), resumeHint: hint(session) };
      if (trains(session.plan) && counters.position.iteration > 0) await saveHere(session, 'stopped');
      bus.emit({
        type: 'notice',
        level: 'info',
        from: 'run',
        message: `stopped after iteration ${counters.position.iteration}: ${session.stop.reason}`,
      });
      return { ...result('stopped'), resumeHint: hint(session) };
    }
    await session.dispatch('exception', { error }).catch((other: Error) => {
      bus.emit({ type: 'notice', level: 'warning', from: 'run', message: other.message });
    });
    throw error;
  }
}

async function runEpochs(session: Session): Promise<void> {
  const { plan, counters, stop, resume } = session;
  const { phases, graph } = plan;
  const training = trains(plan);
  await prepareOnce(session);
  await session.dispatch('start');
  const moments = graph.run.evaluate;
  const evaluates = plan.once.evaluate.length > 0;
  if (evaluates && !resume && moments.includes('start')) await evaluate(session);
  let spare: string | undefined;
  const epochs = training ? graph.run.epochs : Math.min(graph.run.epochs, 1);
  while (counters.position.epoch < epochs) {
    const done = counters.position.epoch + 1;
    const last = done === epochs;
    while (counters.position.phase < phases.length) {
      stop.check();
      const phase = phases[counters.position.phase];
      if (phase.training || last || done % (graph.run.test_every ?? 1) === 0) await runPhase(session, phase);
      else counters.phaseDone();
    }
    const due = moments.some((moment) => (moment === 'end' ? last : moment !== 'start' && done % moment === 0));
    if (evaluates && due) {
      // the weights of the whole training are safe before anything else may fail
      if (training && last) spare = await saveHere(session, 'before the last evaluation');
      stop.check();
      await evaluate(session);
    }
    counters.epochDone();
  }
  if (epochs === 0 && evaluates && moments.includes('end')) await evaluate(session);
  if (training) await writeCheckpoint(session, 'end of training', 0, true);
  if (spare) await session.writer.discard(spare);
  await session.dispatch('end', { metrics: session.lastMetrics });
}

/** A checkpoint of this very moment, unless a hook has just written it. Returns its folder if it is new. */
async function saveHere(session: Session, reason: string): Promise<string | undefined> {
  if (session.savedAs === checkpointName(session.counters.position, false)) return undefined;
  return writeCheckpoint(session, reason, 0, false);
}

const hint = ({ lastCheckpoint }: Session): string =>
  lastCheckpoint === undefined
    ? 'Nothing was saved: the same command begins anew'
    : `The same command goes on from ${lastCheckpoint}`;
