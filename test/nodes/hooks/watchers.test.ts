import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import deadPrototypes from '../../../nodes/hooks/dead_prototypes_watch.ts';
import exploding from '../../../nodes/hooks/exploding_gradients_watch.ts';
import clipping from '../../../nodes/hooks/gradient_clipping.ts';
import machineStats from '../../../nodes/hooks/machine_stats.ts';
import complexity from '../../../nodes/hooks/model_complexity.ts';
import perfStats from '../../../nodes/hooks/perf_stats.ts';
import { PerfMetric, perfTable } from '../../../nodes/hooks/perf-metric.ts';
import linearProbe from '../../../nodes/meters/linear_probe.ts';
import type { HookEvent, HookHandlers, ParameterView, RunView } from '../../../runtime/events.ts';
import type { NodeType } from '../../../runtime/node.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { Tensor, TensorBackend } from '../../../runtime/tensor/types.ts';
import { classifier, runDocument, withFolder } from '../../engine/fixtures/graph.ts';
import { nodeContext, openHook } from '../../support/node-context.ts';

const EXTRA = [perfStats, complexity, machineStats, clipping, exploding, deadPrototypes, linearProbe] as NodeType[];

describe('hooks that watch and clip', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('wasm');
  });

  interface Said {
    readonly notices: string[];
    readonly cures: (string | undefined)[];
    readonly metrics: Record<string, number>[];
  }

  /** A view on parameters "a" and "b" with these gradients. */
  function viewOf(gradients: Record<string, number[]>, outputs: Record<string, Tensor> = {}) {
    const said: Said = { notices: [], cures: [], metrics: [] };
    const { tf } = backend;
    const held = new Map<string, Tensor | null>(Object.entries(gradients).map(([k, v]) => [k, tf.tensor1d(v)]));
    const parameters = new Map(
      [...held.keys()].map((name) => [
        name,
        {
          name,
          gradient: () => held.get(name) ?? null,
          setGradient: (value: Tensor | null) => void held.set(name, value),
        } as ParameterView,
      ]),
    );
    const run = {
      parameters,
      output: (ref: string) => outputs[ref],
      notice: (_level: string, message: string, cure?: string) => {
        said.notices.push(message);
        said.cures.push(cure);
      },
      emit: (event: { metrics: Record<string, number> }) => said.metrics.push(event.metrics),
    } as unknown as RunView;
    const values = (name: string) => [...(held.get(name)!.dataSync() as Float32Array)];
    return { run, said, values };
  }

  const at = (iteration: number): HookEvent =>
    ({ type: 'backward', progress: { iteration, training: true } }) as HookEvent;

  it('gradient_clipping scales all gradients to the norm, and leaves small and broken ones alone', async () => {
    const hook = openHook(backend, clipping, { max_norm: 1 });
    const large = viewOf({ a: [3, 0], b: [4] });
    await hook.backward!(at(1), large.run);
    const scale = 1 / (5 + 1e-6);
    assert.ok(Math.abs(large.values('a')[0] - 3 * scale) < 1e-6 && Math.abs(large.values('b')[0] - 4 * scale) < 1e-6);
    assert.deepEqual(large.said.metrics, [{ gradient_norm: 5 }]);
    const small = viewOf({ a: [0.3], b: [0.4] });
    await hook.backward!(at(2), small.run);
    assert.deepEqual(small.values('a'), [Math.fround(0.3)]);
    const broken = viewOf({ a: [Number.NaN], b: [10] });
    await hook.backward!(at(3), broken.run);
    assert.deepEqual(broken.values('b'), [10]);
    const inf = viewOf({ a: [3], b: [-4] });
    await openHook(backend, clipping, { max_norm: 2, norm: 'inf' }).backward!(at(1), inf.run);
    assert.ok(Math.abs(inf.values('b')[0] + 2) < 1e-5 && Math.abs(inf.values('a')[0] - 1.5) < 1e-5);
  });

  it('exploding_gradients_watch names the parameter and the cure, after a jump or a NaN', async () => {
    const hook = openHook(backend, exploding, { every: 1, window: 5 });
    for (let i = 1; i <= 4; i++) {
      const usual = viewOf({ a: [1], b: [0.1 * i] });
      await hook.backward!(at(i), usual.run);
      assert.deepEqual(usual.said.notices, []);
    }
    const jump = viewOf({ a: [1], b: [50] });
    await hook.backward!(at(5), jump.run);
    assert.match(jump.said.notices[0], /explode: their norm is 5\.00e\+1 at iteration 5, where it usually is .* of b$/);
    assert.match(jump.said.cures[0]!, /hook\/gradient_clipping/);
    const broken = viewOf({ a: [Number.NaN], b: [1] });
    await hook.backward!(at(6), broken.run);
    assert.match(broken.said.notices[0], /norm is NaN.* of a$/);
    const again = openHook(backend, exploding, { every: 1 });
    again.load!(hook.save!());
    const resumed = viewOf({ a: [50] });
    await again.backward!(at(7), resumed.run);
    assert.equal(resumed.said.notices.length, 1);
  });

  it('dead_prototypes_watch counts what is never the best, and says it once', async () => {
    const { tf } = backend;
    const hook = openHook(backend, deadPrototypes, { scores: 'head.scores', every: 2, share: 0.5 });
    const step = async (own: HookHandlers, iteration: number, best: readonly number[]) => {
      const scores = tf.tensor2d(best.map((k) => Array.from({ length: 4 }, (_, i) => (i === k ? 1 : 0))));
      const view = viewOf({}, { 'head.scores': scores });
      await own.forward!(at(iteration), view.run);
      return view.said;
    };
    assert.deepEqual((await step(hook, 1, [0, 1])).metrics, []);
    const healthy = await step(hook, 2, [2, 0]);
    assert.deepEqual([healthy.metrics, healthy.notices], [[{ dead_prototypes: 0.25 }], []]);
    await step(hook, 3, [0, 0]);
    const dead = await step(hook, 4, [0, 0]);
    assert.match(dead.notices[0], /75 % of the prototypes of head\.scores .* in 4 rows/);
    assert.match(dead.cures[0]!, /fewer prototypes/);
    await step(hook, 5, [0, 0]);
    assert.deepEqual((await step(hook, 6, [0, 0])).notices, []);
  });

  it('perf_stats keeps sum, mean and a smoothed time', () => {
    const metric = new PerfMetric();
    for (const ms of [10, 20]) metric.record(ms);
    assert.deepEqual([metric.last, metric.smoothed, metric.sum, metric.mean], [20, 11, 30, 15]);
    assert.equal(
      perfTable([['forward', metric]]),
      'Timer        Host    Recent  Count\nforward  15.00 ms  11.00 ms      2',
    );
  });

  it('tables, complexity and machine are told in a real run, and a linear probe runs beside it', () =>
    withFolder(async (out) => {
      const notices: string[] = [];
      const document = classifier({
        nodes: {
          images: { type: 'dataset/shapes', length: 64, size: 16 },
          probe: {
            type: 'meter/linear_probe',
            inputs: { features: 'trunk.features', label: 'batch.label' },
            num_classes: 10,
          },
        },
        hooks: [
          { type: 'hook/perf_stats' },
          { type: 'hook/model_complexity' },
          { type: 'hook/machine_stats', at: 2 },
          { type: 'hook/gradient_clipping', max_norm: 10 },
          { type: 'hook/exploding_gradients_watch' },
          { type: 'hook/dead_prototypes_watch', scores: 'head.scores', every: 4 },
        ],
      });
      const { metrics } = await runDocument(document, out, {
        extra: EXTRA,
        onEvent: (event) => {
          if (event.type === 'notice') notices.push(`${event.from}: ${event.message}`);
        },
      });
      const table = notices.find((text) => text.includes('train_step_total'))!;
      for (const part of ['read_sample', 'forward', 'loss_compute', 'backward', 'optimizer_step', 'trunk (forward)']) {
        assert.ok(table.includes(part), `${part} in ${table}`);
      }
      assert.match(table, /train, 16 steps of/);
      const text = notices.join('\n');
      assert.match(text, /model_complexity: trunk: 0\.0001·10⁶ parameters/);
      assert.match(text, /trunk, one input of \d+×\d+×3: 0\.\d{4}·10⁹ FLOPs/);
      assert.equal(notices.filter((line) => line.includes('cores used')).length, 3);
      const top1 = metrics['train_probe.top1'];
      assert.ok(top1 >= 0 && top1 <= 100);
      const lines = (await readFile(join(out, 'metrics.json'), 'utf8')).trim().split('\n');
      const losses = lines.map((line) => JSON.parse(line)).map((line) => line['train_probe.loss']);
      assert.ok(losses.length === 2 && losses.every((loss) => loss > 0 && loss < 4), `probe losses ${losses}`);
      assert.notEqual(losses[0], losses[1]);
    }));

  it('the probe separates what is separable, in training phases only', async () => {
    const { tf } = backend;
    const definition = linearProbe as unknown as Extract<NodeType, { role: 'meter' | 'bank' }>;
    const meter = definition.create(
      nodeContext(backend, definition as NodeType, { params: { num_classes: 2 }, symbols: { D: 2, N: 4 } }),
    );
    const run = async (training: boolean) => {
      meter.reset();
      await backend.scopeAsync(async () => {
        const features = tf.tensor2d([[1, 0], [0, 1], [2, 0], [0, 3], [1, 0], [0, 1], [1, 0], [0, 1]]); // biome-ignore format: rows
        const inputs = { features, label: tf.tensor1d([0, 1, 0, 1], 'int32') };
        await meter.add(inputs, { phase: 'train', training, iteration: 0, epoch: 0 });
      });
      return (await meter.finish()).metrics as { top1: number; loss: number };
    };
    const first = await run(false);
    assert.ok(Math.abs(first.loss - Math.log(2)) < 1e-6);
    assert.deepEqual(await run(false), first);
    for (let i = 0; i < 30; i++) await run(true);
    const { top1, loss } = await run(false);
    assert.ok(top1 === 100 && loss < 0.3, `${top1} ${loss}`);
  });
});
