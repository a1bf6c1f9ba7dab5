import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import checkpoint from '../../../nodes/hooks/checkpoint.ts';
import collapseWatch from '../../../nodes/hooks/collapse_watch.ts';
import freeze from '../../../nodes/hooks/freeze_parameters.ts';
import jsonl from '../../../nodes/hooks/jsonl.ts';
import log from '../../../nodes/hooks/log.ts';
import logKWatch from '../../../nodes/hooks/log_k_watch.ts';
import momentumUpdate from '../../../nodes/hooks/momentum_update.ts';
import nanWatch from '../../../nodes/hooks/nan_watch.ts';
import { duration } from '../../../nodes/hooks/step-log.ts';
import type { GraphEvent, HookEvent, ParameterView, Progress, RunView } from '../../../runtime/events.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { Tensor, TensorBackend, Variable } from '../../../runtime/tensor/types.ts';
import { openSafetensors } from '../../../runtime/train/safetensors.ts';
import { openHook } from '../../support/node-context.ts';

const PROGRESS: Progress = {
  phase: 'train',
  training: true,
  epoch: 0,
  epochs: 10,
  iteration: 1,
  maxIterations: 1000,
  step: 1,
  steps: 100,
  where: 0,
};

const event = (
  type: HookEvent['type'],
  progress: Partial<Progress> = {},
  known: Partial<HookEvent> = {},
): HookEvent => ({
  type,
  time: 0,
  progress: { ...PROGRESS, ...progress },
  ...known,
});

/** A run that records what hooks ask of it. */
function recordingRun(parts: Partial<RunView> = {}) {
  const notices: string[] = [];
  const checkpoints: string[] = [];
  const events: GraphEvent[] = [];
  const run = {
    out: '.',
    rank: 0,
    ranks: 1,
    epochs: 10,
    seed: 0,
    parameters: new Map(),
    buffers: new Map(),
    modelPorts: [],
    output: () => undefined,
    checkpoint: async (reason: string, options?: { keep?: number }) => {
      checkpoints.push(`${reason}, keep ${options?.keep}`);
      return '';
    },
    notice: (level: string, message: string, cure?: string) => notices.push(`${level}: ${message}. ${cure ?? ''}`),
    emit: (emitted: GraphEvent) => events.push(emitted),
    ...parts,
  } as unknown as RunView;
  return { run, notices, checkpoints, events };
}

describe('hooks', () => {
  let backend: TensorBackend;
  let folder: string;
  before(async () => {
    backend = await openBackend('wasm');
    folder = await mkdtemp(join(tmpdir(), 'hooks-'));
  });
  after(() => rm(folder, { recursive: true }));

  const viewOf = (name: string, variable: Variable): ParameterView & { dropped: boolean } => ({
    name,
    node: name.split('.')[0],
    dropped: false,
    value: () => variable,
    assign: (value: Tensor) => variable.assign(value),
    gradient: () => null,
    setGradient(value) {
      this.dropped = value === null;
    },
  });
  const parameter = (name: string, values: number[], shape = [values.length]) =>
    viewOf(name, backend.tf.variable(backend.tf.tensor(values, shape)));

  it('freeze_parameters drops gradients below the iteration', async () => {
    const view = parameter('head.prototypes0.weight', [1]);
    const { run } = recordingRun({ parameters: new Map([[view.name, view]]) });
    const hook = openHook(backend, freeze, { parameters: { 'head.prototypes0.weight': 3 } });
    await hook.start!(event('start'), run);
    const dropped = [1, 2, 3, 4].map((iteration) => {
      view.dropped = false;
      void hook.backward!(event('backward', { iteration }), run);
      return view.dropped;
    });
    assert.deepEqual(dropped, [true, true, false, false]);
    const wrong = openHook(backend, freeze, { parameters: { 'head.prototype0.weight': 3 } });
    assert.throws(() => wrong.start!(event('start'), run), /Did you mean "head.prototypes0.weight"\?/);
  });

  it('checkpoint asks after every n epochs and iterations, not after the last epoch', async () => {
    const { run, checkpoints } = recordingRun();
    const hook = openHook(backend, checkpoint, { every: 2, iterations: 50, keep: 3 });
    for (let epoch = 0; epoch < 10; epoch++) await hook.phase_end!(event('phase_end', { epoch }), run);
    await hook.phase_end!(event('phase_end', { epoch: 1, training: false }), run);
    for (const iteration of [49, 50, 51, 100]) await hook.step!(event('step', { iteration }), run);
    assert.deepEqual(
      checkpoints,
      ['epoch 2', 'epoch 4', 'epoch 6', 'epoch 8', 'iteration 50', 'iteration 100'].map(
        (reason) => `${reason}, keep 3`,
      ),
    );
  });

  it("log speaks at VISSL's moments", async () => {
    const { run, notices } = recordingRun();
    const hook = openHook(backend, log, {});
    await hook.phase_start!(event('phase_start'), run);
    const spoken: number[] = [];
    for (let iteration = 1; iteration <= 130; iteration++) {
      const before = notices.length;
      const known = { time: 200 * iteration, loss: 1.5, lr: [0.1, 0.2], images: 10 };
      await hook.update!(event('update', { iteration }, known), run);
      if (notices.length > before) spoken.push(iteration);
    }
    const first = Array.from({ length: 20 }, (_, i) => 5 * (i + 1));
    assert.deepEqual(spoken, [1, ...first, 110, 120, 130]);
    const parts = 'iteration 100/1000, loss 1.50000, lr 0.10000, 0.20000, 200 ms/step, 50.0 images/s, eta 00:03:00';
    assert.ok(notices.some((line) => line.includes(parts)));
    assert.equal(duration(90061), '1d 01:01:01');
  });

  it('log says nothing of the speed before it has seen a step whole: a run that goes on has no beginning of a phase', async () => {
    const { run, notices } = recordingRun();
    const hook = openHook(backend, log, { log_frequency: 10 });
    const update = (iteration: number, time: number) =>
      hook.update!({ ...event('update', { iteration }, { loss: 1, images: 10 }), time }, run);
    await update(500, 1.7e12);
    assert.doesNotMatch(notices[0], /ms\/step|eta/);
    await update(510, 1.7e12 + 100);
    assert.match(notices[1], /100 ms\/step, 100\.0 images\/s, eta 00:00:49/);
  });

  it('jsonl writes steps, and drops those that a resumed run does again', async () => {
    const { run } = recordingRun({ out: folder });
    const hook = openHook(backend, jsonl, { flush: 2 });
    await hook.start!(event('start', { iteration: 0 }), run);
    for (const iteration of [1, 2, 3]) {
      await hook.update!(event('update', { iteration }, { loss: iteration === 3 ? Number.NaN : 0.5, lr: [0.1] }), run);
    }
    await hook.phase_end!(event('phase_end'), run);
    const path = join(folder, 'steps.jsonl');
    const lines = async () =>
      (await readFile(path, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    assert.deepEqual(
      (await lines()).map(({ iteration, loss }) => [iteration, loss]),
      [
        [1, 0.5],
        [2, 0.5],
        [3, 'NaN'],
      ],
    );
    await appendFile(path, '{"iteration": 4, "lo');
    const resumed = openHook(backend, jsonl, {});
    await resumed.start!(event('start', { iteration: 2 }), run);
    assert.deepEqual(
      (await lines()).map(({ iteration }) => iteration),
      [1, 2],
    );
    await resumed.update!(event('update', { iteration: 3 }, { loss: 0.4, lr: [0.1] }), run);
    resumed.observe!({ type: 'checkpoint', path: 'checkpoints/3', iteration: 3 });
    assert.deepEqual(
      (await lines()).map(({ iteration }) => iteration),
      [1, 2, 3],
      'a checkpoint has the lines of its steps beside it',
    );
    await assert.rejects(
      async () => openHook(backend, jsonl, { file: '../x.jsonl' }).start!(event('start'), run),
      /not below the run folder/,
    );
  });

  it('nan_watch names the first value that is not finite and writes the outputs', async () => {
    const good = backend.tf.tensor1d([1, 2]);
    const bad = backend.tf.tensor1d([1, Number.NaN, 3]);
    const outputs: Record<string, Tensor | Tensor[]> = { 'trunk.res5avg': good, 'head.scores': [bad] };
    const weight = parameter('head.prototypes0.weight', [1, 2], [1, 2]);
    const { run } = recordingRun({
      out: folder,
      output: (ref) => outputs[ref],
      modelPorts: ['batch.images', 'trunk.res5avg', 'head.scores'],
      parameters: new Map([[weight.name, weight]]),
    });
    const hook = openHook(backend, nanWatch, {});
    await hook.loss_and_meter!(event('loss_and_meter', {}, { loss: 1 }), run);
    await assert.rejects(
      async () => hook.loss_and_meter!(event('loss_and_meter', { iteration: 7 }, { loss: Number.NaN }), run),
      /the loss is NaN at iteration 7; the first value that is not finite is in head\.scores\.0 \(1 of 3\).*Known cures/,
    );
    const file = await openSafetensors(join(folder, 'nan', 'step7.safetensors'));
    assert.deepEqual([...file.tensors.keys()].sort(), ['head.prototypes0.weight', 'head.scores.0', 'trunk.res5avg']);
    await file.close();
    const statistic = parameter('trunk.bn1.running_mean', [Number.POSITIVE_INFINITY]);
    const other = recordingRun({ out: folder, buffers: new Map([[statistic.name, statistic]]) });
    await assert.rejects(
      async () =>
        openHook(backend, nanWatch, {}).loss_and_meter!(event('loss_and_meter', {}, { loss: Infinity }), other.run),
      /is in trunk\.bn1\.running_mean \(1 of 1\)/,
    );
  });

  it('collapse_watch warns once while embeddings are one point', async () => {
    let rows = backend.tf.ones([8, 4]);
    const { run, notices, events } = recordingRun({ output: () => rows });
    const hook = openHook(backend, collapseWatch, { embeddings: 'head.embeddings', every: 10 });
    for (const iteration of [5, 10, 20]) await hook.forward!(event('forward', { iteration }), run);
    assert.equal(notices.length, 1);
    assert.match(notices[0], /warning: the embeddings head\.embeddings collapse.*Known cures/);
    rows = backend.tf.randomNormal([8, 4], 0, 1, 'float32', 1);
    await hook.forward!(event('forward', { iteration: 30 }), run);
    rows = backend.tf.ones([8, 4]);
    await hook.forward!(event('forward', { iteration: 40 }), run);
    assert.equal(notices.length, 2);
    assert.equal(events.filter(({ type }) => type === 'metrics').length, 4);
  });

  it('log_k_watch warns when the loss stays at log K', async () => {
    const view = parameter('head.prototypes0.weight', Array(20).fill(0), [2, 10]);
    const { run, notices } = recordingRun({ parameters: new Map([[view.name, view]]) });
    const hook = openHook(backend, logKWatch, { head: 'head', after: 20, window: 10 });
    await hook.start!(event('start'), run);
    for (let iteration = 1; iteration <= 40; iteration++) {
      await hook.update!(event('update', { iteration }, { loss: Math.log(10) + 0.001 }), run);
    }
    assert.equal(notices.length, 1);
    assert.match(notices[0], /as good as log K = 2\.3026.*Known cures/);
    const fresh = openHook(backend, logKWatch, { head: 'head', after: 20, window: 10 });
    fresh.load!(JSON.parse(JSON.stringify(hook.save!())));
    await fresh.start!(event('start'), run);
    await fresh.update!(event('update', { iteration: 41 }, { loss: Math.log(10) }), run);
    assert.equal(notices.length, 1, 'a resumed run does not warn again');
    for (let iteration = 42; iteration <= 60; iteration++) {
      await fresh.update!(event('update', { iteration }, { loss: 1 }), run);
    }
    assert.equal(notices.length, 1);
  });

  it('momentum_update copies at the start of training and follows after each update', async () => {
    const query = parameter('trunk.w', [1, 2]);
    const key = parameter('trunk_k.w', [5, 6]);
    const statistics = [parameter('trunk.bn.running_mean', [1]), parameter('trunk_k.bn.running_mean', [9])];
    const { run } = recordingRun({
      parameters: new Map([query, key].map((view) => [view.name, view])),
      buffers: new Map(statistics.map((view) => [view.name, view])),
    });
    const hook = openHook(backend, momentumUpdate, { encoders: { trunk_k: 'trunk' }, momentum: 0.5 });
    await hook.start!(event('start', { iteration: 0 }), run);
    const read = async (view: ParameterView) => [...(await view.value().data())];
    assert.deepEqual(await read(key), [1, 2]);
    assert.deepEqual(await read(statistics[1]), [1]);
    query.assign(backend.tf.tensor1d([3, 4]));
    statistics[0].assign(backend.tf.tensor1d([7]));
    await hook.update!(event('update'), run);
    assert.deepEqual(await read(key), [2, 3]);
    assert.deepEqual(await read(statistics[1]), [1], 'statistics are its own');
    key.assign(backend.tf.tensor1d([0, 0]));
    await hook.start!(event('start', { iteration: 4 }), run);
    assert.deepEqual(await read(key), [0, 0], 'a resumed run does not copy');
    const wrong = openHook(backend, momentumUpdate, { encoders: { nobody: 'trunk' } });
    assert.throws(() => wrong.start!(event('start'), run), /nobody is no node with parameters/);
  });
});
