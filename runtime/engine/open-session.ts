/** Begin a run: create the nodes, give them their saved values, connect the hooks. */
import { basename } from 'node:path';
import type { ModelKeys } from '../../graph/model/keys.ts';
import type { RunFacts } from '../node.ts';
import { createRandom } from '../random.ts';
import type { FoundCheckpoint } from '../train/resume.ts';
import { shareModels } from './agree.ts';
import { createAutocast } from './autocast.ts';
import { createCheckpointRequests } from './checkpointing.ts';
import { ResumeError } from './choose.ts';
import { Counters } from './counters.ts';
import { createEvents } from './events.ts';
import { createLossScale } from './loss-scale.ts';
import { owners } from './models.ts';
import { copyLeader } from './momentum.ts';
import { disposeValue } from './once.ts';
import { createRunView } from './run-view.ts';
import { createRunning, type RunningGraph } from './running.ts';
import { writeCheckpoint } from './save.ts';
import { ranksOf, readState, restoreHooks, restoreModels } from './saving.ts';
import type { Session, SessionOptions } from './session.ts';
import { createState } from './state.ts';
import type { BatchHost } from './step.ts';
import { isFrozen } from './training.ts';
import { loadWeights } from './weights.ts';

export async function openSession(options: SessionOptions): Promise<Session> {
  const { plan, backend, resume, ranks, stop, metrics } = options;
  const { run } = plan.graph;
  if (resume) refuseOtherRanks(resume, ranks.size);
  const saved = resume && (await readState(resume, ranks.rank));
  const state = createState(backend, saved);
  const facts = await runFacts(options);
  const before = resume?.manifest.trainSamples ?? facts.trainSamples;
  if (before !== facts.trainSamples) {
    throw new ResumeError(
      `the training dataset has ${facts.trainSamples} samples, but had ${before} when ${resume!.path} was written: a run goes on with the data that it began with. Run into another folder, or begin anew with --fresh`,
    );
  }
  const training = plan.phases.filter((phase) => phase.training);
  let iterations = 0;
  for (const phase of training) iterations += (await options.sources.of(phase)).steps;
  const epochs = training.length > 0 ? run.epochs : Math.min(run.epochs, 1);
  const counters = new Counters(
    { epochs, trainingPhases: training.length, maxIterations: iterations * epochs },
    resume?.manifest.position,
  );
  const running = await createRunning(plan, {
    ...options,
    facts,
    state,
    signal: stop.now,
  });
  if (resume && saved) {
    await restoreModels(resume, running, backend);
    restoreHooks(saved, running);
    for (const name of saved.tensors.keys()) {
      // taken; what other ranks keep of an optimizer is not kept in memory here
      if (running.optimizers.has(name.slice(0, name.indexOf('.')))) saved.tensors.delete(name);
    }
  } else {
    await startFromWeights(running, options);
    for (const following of running.following) copyLeader(backend, following);
  }
  await shareModels({ backend, ranks }, running);

  const requests = createCheckpointRequests((reason, keep) => writeCheckpoint(session, reason, keep, false));
  const bus = createEvents(running.ownHooks, running.listedHooks, requests);
  const host: BatchHost = {
    backend,
    running,
    ranks,
    streams: options.streams,
    once: options.once,
    stop,
    autocast: createAutocast(backend, run.precision),
    lossScale:
      run.precision === 'float16' && training.length > 0
        ? createLossScale(backend, state.forNode('#loss_scale', createRandom(run.seed)), (level, message, cure) =>
            options.notice('run', level, message, cure),
          )
        : undefined,
    now: () => performance.now() - options.began,
    timing: (timing) => bus.emit({ type: 'node', ...timing, progress: counters.progress() }),
  };
  const session: Session = {
    ...options,
    facts,
    running,
    state,
    counters,
    host,
    bus,
    requests,
    stepView: undefined,
    lastMetrics: {},
    lastCheckpoint: resume?.path,
    savedAs: resume && basename(resume.path),
    // hooks get the view that needs the session, and the session holds the view
    get view() {
      return view;
    },
    dispatch(type, known, between) {
      // within a step, hooks draw from the moment of its batch
      if (!session.stepView) running.moment('event', type, counters.progress().phase, counters.position.iteration);
      const event = () => ({ type, time: Date.now(), progress: counters.progress(), ...known });
      return backend.scopeAsync(() => bus.dispatch(event, view, between));
    },
    async report(facts, numbers) {
      Object.assign(session.lastMetrics, numbers);
      if (Object.keys(numbers).length > 0 && ranks.rank === 0) await metrics.append(facts, numbers);
    },
    dispose() {
      for (const value of options.once.values()) disposeValue(value);
      running.dispose();
      state.dispose();
    },
  };
  const view = createRunView(session);
  return session;
}

/** Steps, sampler positions and the state of nodes (queues, banks) are of a number of ranks. @throws ResumeError */
function refuseOtherRanks(resume: FoundCheckpoint, size: number): void {
  const then = ranksOf(resume);
  if (then === size) return;
  const ranks = (n: number): string => `${n} ${n === 1 ? 'rank' : 'ranks'}`;
  throw new ResumeError(
    `${resume.path} was written by ${ranks(then)}, and this run has ${size}: its steps and what each rank keeps (queues, memories) are those of ${ranks(then)}. Go on with --ranks ${then}, begin anew with --fresh, or start from the weights alone with "weights" on the model nodes.`,
  );
}

async function runFacts({ plan, sources, out }: SessionOptions): Promise<RunFacts> {
  const { run } = plan.graph;
  const passes = [...plan.once.before, ...plan.once.evaluate].flatMap((step) =>
    step.kind === 'pass' ? [step.program] : [],
  );
  const program = plan.phases.find((phase) => phase.training) ?? plan.phases[0] ?? passes[0];
  const source = program && (await sources.of(program));
  return {
    seed: run.seed,
    epochs: run.epochs,
    stepsPerEpoch: source?.steps ?? 0,
    batchSize: source?.batchSize ?? 0,
    trainSamples: source?.samples ?? 0,
    out,
  };
}

async function startFromWeights(
  running: RunningGraph,
  { backend, openWeights, notice }: SessionOptions,
): Promise<void> {
  for (const model of owners(running.models)) {
    const { name, params } = model.node;
    const { weights, weights_prefix: prefix } = params as ModelKeys;
    if (typeof weights !== 'string') {
      if (isFrozen(model.node) && (params as ModelKeys).frozen === true) {
        notice(name, 'warning', 'it is frozen at its random initial values', 'Give it "weights"');
      }
      continue;
    }
    const { loaded, missing, unexpected, names } = await loadWeights(model, weights, prefix, backend, openWeights);
    const few = (names: readonly string[]): string =>
      names.length === 0 ? '' : ` (${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''})`;
    notice(
      name,
      missing.length > 0 ? 'warning' : 'info',
      `${weights}: ${loaded.length} tensors used, ${missing.length} missing${few(missing)}, ${unexpected.length} not of this model${few(unexpected)}${names && `; ${names}`}`,
    );
  }
}
