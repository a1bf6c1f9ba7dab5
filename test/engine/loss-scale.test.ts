import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAutocast } from '../../runtime/engine/autocast.ts';
import { createLossScale } from '../../runtime/engine/loss-scale.ts';
import type { GraphEvent } from '../../runtime/events.ts';
import { defineNode, type NodeType, T } from '../../runtime/node.ts';
import { openBackend } from '../../runtime/tensor/backend.ts';
import type { Tensor, TensorBackend, Variable } from '../../runtime/tensor/types.ts';
import { formula, leakFree, near } from '../tensor/support.ts';
import { withFloat16 } from '../tensor/torch/support.ts';
import { classifier, runDocument, withFolder } from './fixtures/graph.ts';

/** The scale with its state, and what it says. */
function opened(backend: TensorBackend, saved: Readonly<Record<string, number>> = {}) {
  const state: Record<string, { value: number }> = {};
  const notices: string[] = [];
  const number = (name: string, init: number) => (state[name] = { value: saved[name] ?? init });
  const scale = createLossScale(backend, { number }, (_level, message) => notices.push(message));
  const numbers = () => Object.fromEntries(Object.entries(state).map(([name, { value }]) => [name, value]));
  return { scale, numbers, notices };
}

describe('the loss scale of float16', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('cpu');
  });
  beforeEach(() => backend.activate());

  it('grows after 2000 finite steps in a row, shrinks after one that is not, and ends a run that it cannot help', () => {
    const { scale, numbers, notices } = opened(backend);
    assert.deepEqual(numbers(), { value: 65536, finite_steps: 0 });
    for (let i = 0; i < 1999; i++) scale.update(false);
    assert.deepEqual(numbers(), { value: 65536, finite_steps: 1999 });
    scale.update(false);
    assert.deepEqual(numbers(), { value: 131072, finite_steps: 0 });
    for (let i = 0; i < 1999; i++) scale.update(false);
    scale.update(true);
    assert.deepEqual(numbers(), { value: 65536, finite_steps: 0 });
    assert.match(notices.join('\n'), /^float16: a gradient is not finite with the loss scale 131072: .* have 65536$/);
    for (let i = 0; i < 29; i++) scale.update(true);
    assert.equal(scale.value, 2 ** -13);
    assert.throws(
      () => scale.update(true),
      /loss scale has gone down to 0\.0001220703125: .*Known cures: .*"bfloat16"/,
    );
  });

  it('stays a number that float32 has', () => {
    const { scale } = opened(backend, { value: 2 ** 127, finite_steps: 1999 });
    scale.update(false);
    assert.equal(scale.value, 2 ** 127);
  });

  it('is divided out of the gradients; with one that is not finite there are none', async () => {
    const { tf } = backend;
    const { scale } = opened(backend);
    await leakFree(backend, () =>
      backend.scopeAsync(async () => {
        const variables = [1, 2, 3].map((n) => tf.variable(tf.ones([n])) as Variable);
        const gradients = (values: readonly (number[] | null)[]) =>
          new Map(values.map((value, i) => [variables[i], value && tf.tensor1d(value)] as [Variable, Tensor | null]));
        const good = gradients([[65536], null, [0, -32768, 2 ** 30]]);
        assert.equal(await scale.unscale(good), true);
        const found = [...good.values()].map((gradient) => gradient && [...gradient.dataSync()]);
        assert.deepEqual(found, [[1], null, [0, -0.5, 2 ** 14]]);
        for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          const bad = gradients([[1], [2, value], null]);
          assert.equal(await scale.unscale(bad), false);
          assert.deepEqual([...bad.values()], [null, null, null]);
        }
        assert.equal(await scale.unscale(gradients([null])), true);
        tf.dispose(variables);
      }),
    );
  });

  describe('in a run', () => {
    // as float16 with the numbers of float32: what remains is the scaling, and powers of two change no digit
    let low: TensorBackend;
    before(() => {
      low = { ...backend, withPrecision: (_precision, f) => f() };
    });

    const document = (run: object, at?: number, hooks: object[] = []): object =>
      classifier({
        nodes: {
          noise:
            at === undefined
              ? { type: 'test/pass', inputs: { x: 'trunk.features' } }
              : { type: 'test/overflow', at, inputs: { x: 'trunk.features' } },
          sgd: {
            type: 'optimizer/sgd',
            inputs: { loss: 'loss.loss' },
            momentum: 0.9,
            weight_decay: 0.01,
            larc: {},
            lr: { schedule: 'cosine', start: 0.1, end: 0.01 },
          },
        },
        run: { epochs: 2, ...run },
        hooks,
      });

    /** Parameters as each step leaves them, and what hooks saw. */
    const watching = () => {
      const steps: { parameters: string; gradients: number; loss?: number; scale?: number; lr?: readonly number[] }[] =
        [];
      let gradients = 0;
      const type = defineNode({
        type: 'hook/test_watch',
        description: 'looks on',
        role: 'hook',
        params: T.Object({}),
        create: () => ({
          backward(_event, run) {
            gradients = [...run.parameters.values()].filter((parameter) => parameter.gradient()).length;
          },
          step({ loss, lossScale: scale, lr }, run) {
            const values = [...run.parameters.values()].map((parameter) => [...parameter.value().dataSync()]);
            steps.push({ parameters: JSON.stringify(values), gradients, loss, scale, lr });
          },
        }),
      });
      return { type: type as NodeType, steps };
    };
    const modelOf = (checkpoint: string) => readFile(join(checkpoint, 'model.safetensors'));

    const clipping = { type: 'hook/gradient_clipping', max_norm: 0.05 };

    it('hooks, clipping, LARC and optimizers see the gradients of the loss itself', () =>
      withFolder(async (folder) => {
        const models: Buffer[] = [];
        for (const precision of ['float32', 'float16']) {
          const { checkpoint } = await runDocument(
            document({ precision }, undefined, [clipping]),
            join(folder, precision),
            {
              backend: low,
            },
          );
          models.push(await modelOf(checkpoint!));
        }
        assert.deepEqual(models[0], models[1]);
      }));

    it('and with activation checkpointing, too', () =>
      withFolder(async (folder) => {
        const models: Buffer[] = [];
        for (const parts of [0, 2]) {
          const given = document({ precision: 'float16' }) as { nodes: { trunk: object } };
          if (parts > 0) Object.assign(given.nodes.trunk, { activation_checkpointing: parts });
          const { checkpoint } = await runDocument(given, join(folder, String(parts)), { backend: low });
          models.push(await modelOf(checkpoint!));
        }
        assert.deepEqual(models[0], models[1]);
      }));

    it('a step with a gradient that is not finite changes no parameter and no momentum, counts, and is told', () =>
      withFolder(async (folder) => {
        const { type, steps } = watching();
        const notices: string[] = [];
        const result = await runDocument(
          document({ precision: 'float16' }, 3, [{ type: 'hook/test_watch' }, clipping]),
          folder,
          {
            backend: low,
            extra: [type],
            onEvent: (event: GraphEvent) => {
              if (event.type === 'notice') notices.push(`${event.level} ${event.from}: ${event.message}`);
            },
          },
        );
        assert.deepEqual([result.status, result.iteration, steps.length], ['done', 12, 12]);
        assert.deepEqual(
          steps.map(({ scale }) => scale),
          [65536, 65536, 65536, 65536, ...Array(8).fill(32768)],
        );
        assert.deepEqual(
          steps.map(({ gradients }) => gradients > 0),
          steps.map((_, i) => i !== 3),
        );
        const same = steps.map(({ parameters }, i) => i > 0 && parameters === steps[i - 1].parameters);
        assert.deepEqual(same.indexOf(true), 3);
        assert.equal(same.lastIndexOf(true), 3);
        assert.ok(steps[4].lr![0] < steps[3].lr![0] && steps[3].lr![0] < steps[2].lr![0], 'the schedule goes on');
        assert.deepEqual(
          notices.filter((text) => text.includes('float16')),
          [
            'info run: float16: a gradient is not finite with the loss scale 65536: the step is left out, the next ones have 32768',
          ],
        );

        // as if nobody had asked for this update
        let batches = 0;
        const skipping = defineNode({
          type: 'step/test_skip',
          description: 'no update at one batch',
          role: 'step',
          params: T.Object({}),
          create: () => async (batch) => {
            await batch.forward();
            await batch.event('forward');
            await batch.loss();
            await batch.event('loss_and_meter');
            if (batches++ !== 3) {
              await batch.backward();
              await batch.event('backward');
              await batch.update();
              await batch.event('update');
            }
            await batch.event('step');
          },
        });
        const without = watching();
        const steady = document({ step: { type: 'step/test_skip' } }, undefined, [
          { type: 'hook/test_watch' },
          clipping,
        ]);
        await runDocument(steady, join(folder, 'steady'), {
          backend: low,
          extra: [without.type, skipping as NodeType],
        });
        assert.deepEqual(
          steps.map(({ parameters }) => parameters),
          without.steps.map(({ parameters }) => parameters),
        );
      }));

    it('a resumed run has the scale, and gives the weights of the run that was not stopped', () =>
      withFolder(async (folder) => {
        const given = () => document({ precision: 'float16' }, 3);
        const whole = await runDocument(given(), join(folder, 'whole'), { backend: low });
        const stop = new AbortController();
        const scales: (number | undefined)[] = [];
        const onEvent = (event: GraphEvent) => {
          if (event.type !== 'step') return;
          scales.push(event.lossScale);
          if (event.progress.iteration === 5) stop.abort();
        };
        const out = join(folder, 'stopped');
        const stopped = await runDocument(given(), out, { backend: low, signal: stop.signal, onEvent });
        assert.deepEqual([stopped.status, stopped.iteration], ['stopped', 5]);
        const manifest = JSON.parse(await readFile(join(stopped.checkpoint!, 'manifest.json'), 'utf8'));
        assert.equal(manifest.numbers['#loss_scale.value'], 32768);
        assert.equal(manifest.numbers['#loss_scale.finite_steps'], 1);
        const resumed = await runDocument(given(), out, { backend: low, onEvent });
        assert.deepEqual(await modelOf(resumed.checkpoint!), await modelOf(whole.checkpoint!));
        assert.deepEqual(scales, [65536, 65536, 65536, 65536, ...Array(8).fill(32768)]);
      }));
  });
});

withFloat16('the loss scale on torch', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('torch');
  });

  /** y = conv(x), loss = 1e-3 · mean(y²): the gradient of the filter, through the loss scale or without */
  async function filterGradient(precision: 'float32' | 'float16', scaling: boolean): Promise<Float32Array> {
    const { tf, ops } = backend;
    const { scale } = opened(backend);
    const autocast = createAutocast(backend, precision);
    return backend.scopeAsync(async () => {
      const x = tf.mul(tf.tensor(formula(0, 8 * 16 * 16 * 3), [8, 16, 16, 3]), 1e-2);
      const filter = tf.variable(tf.tensor(formula(1, 27 * 8), [3, 3, 3, 8])) as Variable;
      const tape = backend.openTape();
      const y = autocast.node('model', true, { x }, (given) => ops.conv2d(given.x, filter, null, { padding: [1, 1] }));
      const loss = autocast.node('loss', true, { y }, (given) => tf.mul(tf.mean(tf.square(given.y)), 1e-3) as Tensor);
      const [gradient] = autocast.backward(() => tape.backward(scaling ? scale.scaled(loss) : loss, [filter]));
      const gradients = new Map([[filter, gradient]]);
      autocast.gradients?.(gradients);
      if (scaling) assert.ok(await scale.unscale(gradients));
      const values = (await gradients.get(filter)!.data()) as Float32Array;
      filter.dispose();
      return values.slice();
    });
  }

  it('gives gradients that float16 is too coarse for', async () => {
    const exact = await filterGradient('float32', false);
    const lost = await filterGradient('float16', false);
    assert.ok(
      lost.every((value) => value === 0),
      'float16 can hold these gradients',
    );
    const kept = await filterGradient('float16', true);
    const largest = Math.max(...exact.map(Math.abs));
    assert.ok(largest > 0);
    for (const [i, value] of kept.entries()) {
      assert.ok(Math.abs(value - exact[i]) < 0.03 * largest, `${i}: ${value}, in float32 ${exact[i]}`);
    }
  });

  // torch.amp.GradScaler('cpu') and SGD of PyTorch 2.13 on the same numbers
  it('skips, halves and steps as PyTorch does', async () => {
    const { tf, ops } = backend;
    const { scale } = opened(backend);
    const autocast = createAutocast(backend, 'float16');
    const values = (k: number, rows: number, columns: number) =>
      tf.tensor2d(formula(k, rows * columns), [rows, columns]);
    const weights = [values(1, 16, 32), values(2, 32, 4)].map((value) => tf.variable(value) as Variable);
    const velocities = weights.map((weight) => tf.variable(tf.zerosLike(weight), false) as Variable);
    const scales: number[] = [];
    const losses: number[] = [];
    let started = false;
    for (let i = 0; i < 8; i++) {
      await backend.scopeAsync(async () => {
        const tape = backend.openTape();
        const y = autocast.node('model', true, { x: values(3, 8, 16) }, ({ x }) =>
          ops.linear(tf.relu(ops.linear(x, weights[0], null)), weights[1], null),
        );
        const loss = autocast.node('loss', true, { y }, (given) =>
          tf.mul(tf.mean(tf.square(given.y)), i === 4 ? 1e4 : 10),
        );
        const found = autocast.backward(() => tape.backward(scale.scaled(loss), weights));
        const gradients = new Map(weights.map((weight, j) => [weight, found[j]]));
        autocast.gradients?.(gradients);
        const finite = await scale.unscale(gradients);
        if (finite) {
          const step = { lr: 0.01, momentum: 0.9, weightDecay: 0, nesterov: false };
          ops.sgd(weights, [...gradients.values()] as Tensor[], velocities, started, step);
          started = true;
        }
        scales.push(scale.value);
        losses.push(loss.dataSync()[0]);
        scale.update(!finite);
      });
    }
    assert.deepEqual(scales, [65536, 32768, 16384, 8192, 4096, 2048, 1024, 1024]);
    near(losses, [132.12964, 132.12964, 132.12964, 132.12964, 132129.64, 132.12964, 132.12964, 23.50165], 1e-4, 'loss');
    near(weights[0].dataSync().slice(0, 4), [0.13237311, 0.31621757, -0.10310227, -0.49638471], 1e-5, 'first weights');
    near(
      weights[1].dataSync().slice(0, 4),
      [0.65758836, -0.37949985, -0.46544215, -0.30888575],
      1e-5,
      'second weights',
    );
    tf.dispose([...weights, ...velocities]);
  });
});
