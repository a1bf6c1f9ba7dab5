/** Once-values in a run: made before training, kept as artifacts, or made anew at the moments of run.evaluate. */
import { onAnyRank, stopTogether } from './agree.ts';
import { createArtifacts } from './artifacts.ts';
import { ancestors } from './edges.ts';
import { type OnceRun, runOnce } from './once.ts';
import type { OnceStep } from './once-plan.ts';
import { nodeOf } from './planned-steps.ts';
import { producer } from './producer.ts';
import type { Session } from './session.ts';
import { artifactKey } from './signature.ts';

/** Before the first epoch. What training reads is kept on disk by content; a resumed run does not make it again. */
export async function prepareOnce(session: Session): Promise<void> {
  const { plan, once, resume, host, out } = session;
  const { before, artifacts } = plan.once;
  if (before.length === 0) return;
  const store = createArtifacts(out, host.backend);
  const keys = new Map<string, string>();
  let missing = false;
  for (const ref of artifacts) {
    const key = await artifactKey(plan.graph, plan.graph.byName.get(nodeOf(ref))!, producer);
    keys.set(ref, key);
    const value = missing ? undefined : await store.load(ref, key);
    if (value === undefined) missing = true;
    else once.set(ref, value);
  }
  // ranks that work together do all of it or nothing
  missing = await onAnyRank(host, missing);
  const feeding = ancestors(
    plan.graph,
    artifacts.map((ref) => plan.graph.byName.get(nodeOf(ref))!),
  );
  const feeds = (step: OnceStep): boolean =>
    step.kind === 'node' ? feeding.has(step.node.name) : step.banks.some(({ name }) => feeding.has(name));
  const steps = before.filter((step) => (feeds(step) ? missing : !resume));
  await runOnce(steps, onceRun(session));
  if (!missing || host.ranks.rank > 0) return;
  for (const [ref, key] of keys) await store.save(ref, key, once.get(ref));
}

/** Evaluators of the model as it is now. */
export async function evaluate(session: Session): Promise<void> {
  await runOnce(session.plan.once.evaluate, onceRun(session));
}

function onceRun(session: Session): OnceRun {
  const { plan, counters, host, bus, stop, sources, once } = session;
  const { iteration, epoch } = counters.progress();
  return {
    graph: plan.graph,
    host,
    sources,
    values: once,
    epoch,
    iteration,
    signal: stop.now,
    check: () => stopTogether(host),
    async metrics(node, metrics) {
      const { phasesDone, trainingPhases } = counters.position;
      bus.emit({ type: 'metrics', time: Date.now(), node, progress: counters.progress(), metrics });
      await session.report({ iteration, phase_idx: phasesDone, train_phase_idx: trainingPhases - 1 }, metrics);
    },
    time(node, start) {
      const progress = counters.progress();
      bus.emit({ type: 'node', node, stream: 'main', stage: 'once', start, end: host.now(), progress });
    },
  };
}
