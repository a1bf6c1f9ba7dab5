/** One phase of an epoch: its batches, its meters, its events. */
import { shareBuffers, stopTogether } from './agree.ts';
import { flattenMetrics, type Metrics } from './metrics-file.ts';
import type { BatchProgram } from './program.ts';
import type { Session } from './session.ts';
import { createStopwatch } from './speed.ts';
import { runStep } from './step.ts';

/** Run the phase from the position that the counters have. @throws Stopped between batches when a stop was asked for */
export async function runPhase(session: Session, program: BatchProgram): Promise<void> {
  const { counters, host, stop, running, state } = session;
  const { phase, training } = program;
  const source = await session.sources.of(program);
  const { epoch, step: start } = counters.position;
  const meters = program.steps.flatMap((step) =>
    step.kind === 'node' && step.node.declaration.role === 'meter' ? [step.node] : [],
  );
  for (const { name } of meters) {
    running.folds.get(name)!.reset();
    if (start > 0) state.restore(name);
  }
  counters.enter({ name: phase, training, steps: source.steps });
  // hooks saw the begin of a phase that is gone on with: what they made of it is in their state
  if (start === 0) await session.dispatch('phase_start');
  else session.bus.emit({ type: 'phase_start', time: Date.now(), progress: counters.progress() });

  if (!training) await shareBuffers(host, running);
  const stopwatch = createStopwatch();
  stopwatch.begin(host.now());
  let position = start;
  for await (const batch of source.open({ epoch, start, training, signal: stop.now })) {
    stopwatch.arrived(host.now());
    const images = batch.images * host.ranks.size;
    let counted = false;
    const count = (): void => {
      if (!counted) counters.count();
      counted = true;
    };
    await runStep(host, {
      program,
      batch,
      position,
      facts: { phase, training, iteration: counters.position.iteration, epoch },
      where: counters.where,
      step: (stages) => session.step(stages, session.view),
      expose: (view) => {
        session.stepView = view;
      },
      async dispatch(type, known) {
        if (type === 'loss_and_meter' && known.loss !== undefined) counters.addLoss(known.loss);
        if (type === 'step') {
          const left = training ? counters.iterationsLeft : undefined;
          const speed = stopwatch.done(host.now(), images, left);
          await session.dispatch(type, { ...known, speed });
        } else {
          await session.dispatch(type, known, type === 'forward' ? count : undefined);
        }
      },
    });
    count(); // a step of the user's own may leave the event out
    position++;
    counters.stepDone();
    if (program.losses.length === 0) await stopTogether(host);
    else stop.check();
  }
  await endPhase(
    session,
    program,
    meters.map(({ name }) => name),
  );
}

async function endPhase(session: Session, { phase, losses }: BatchProgram, meters: readonly string[]): Promise<void> {
  const { counters, running, host } = session;
  const metrics: Record<string, number> = {};
  running.moment('finish', phase, counters.position.epoch);
  if (losses.length > 0) metrics[`${phase}_loss`] = counters.meanLoss;
  for (const name of meters) {
    const values = await host.backend.scopeAsync(async () => running.folds.get(name)!.finish());
    const found: Metrics = Object.assign(
      {},
      ...Object.values(values).map((value) => flattenMetrics(value, `${phase}_${name}`)),
    );
    Object.assign(metrics, found);
    session.bus.emit({ type: 'metrics', time: Date.now(), node: name, progress: counters.progress(), metrics: found });
  }
  const { iteration, phasesDone, trainingPhases } = counters.position;
  await session.report({ iteration, phase_idx: phasesDone, train_phase_idx: trainingPhases - 1 }, metrics);
  counters.phaseDone();
  await session.dispatch('phase_end', { metrics });
}
