import assert from 'node:assert/strict';
import type { HookEvent, HookHandlers, RunView } from '../../runtime/events.ts';
import type { BatchStep } from '../../runtime/node.ts';
import { batch, defineNode, type NodeType, T } from '../../runtime/node.ts';
import { openBackend } from '../../runtime/tensor/backend.ts';
import { classifier, runDocument, withFolder } from './fixtures/graph.ts';

/** A hook type with these handlers. */
const hook = (type: string, handlers: (tf: any) => HookHandlers, params = T.Object({})): NodeType =>
  defineNode({ type, description: 'a hook of a test', role: 'hook', params, create: ({ tf }) => handlers(tf) });

const train = (handlers: (tf: any) => HookHandlers, changes: Parameters<typeof classifier>[0] = {}) =>
  withFolder(async (out) => {
    const document = classifier({ run: { epochs: 1 }, hooks: [{ type: 'hook/probe' }], ...changes });
    return runDocument(document, out, { extra: [hook('hook/probe', handlers)] });
  });

describe('hooks of a run', () => {
  it('see outputs, the loss, gradients and learning rates when these are there', async () => {
    const seen: Record<string, unknown>[] = [];
    const look = (event: HookEvent, run: RunView): void => {
      const weight = run.parameters.get('head.clf.weight')!;
      seen.push({
        type: event.type,
        scores: (run.output('head.scores') as { shape: number[] } | undefined)?.shape,
        loss: typeof event.loss,
        gradient: weight.gradient()?.shape,
        lr: event.lr,
        images: event.images,
      });
    };
    await train(
      () => ({ phase_start: look, forward: look, loss_and_meter: look, backward: look, update: look, step: look }),
      { nodes: { images: { type: 'dataset/shapes', length: 4, size: 8 } } },
    );
    const scores = [4, 10];
    const gradient = [4, 10];
    const none = undefined;
    assert.deepEqual(seen, [
      { type: 'phase_start', scores: none, loss: 'undefined', gradient: none, lr: none, images: none },
      { type: 'forward', scores, loss: 'undefined', gradient: none, lr: none, images: 4 },
      { type: 'loss_and_meter', scores, loss: 'number', gradient: none, lr: none, images: 4 },
      { type: 'backward', scores: none, loss: 'number', gradient, lr: none, images: 4 },
      { type: 'update', scores: none, loss: 'number', gradient, lr: [0.1], images: 4 },
      { type: 'step', scores: none, loss: 'number', gradient: none, lr: [0.1], images: 4 },
    ]);
  });

  it('keep the outputs that they name until the step ends', async () => {
    const shapes: unknown[] = [];
    const named = hook(
      'hook/named',
      () => ({
        step: (_event, run) => {
          shapes.push((run.output('head.scores') as { shape: number[] }).shape, run.output('noise.x'));
        },
      }),
      T.Object({ from: T.String() }),
    );
    await withFolder(async (out) => {
      const document = classifier({ run: { epochs: 1 }, hooks: [{ type: 'hook/named', from: 'head.scores' }] });
      await runDocument(document, out, { extra: [named] });
    });
    assert.deepEqual(shapes.slice(0, 2), [[4, 10], undefined]);
  });

  it('of nodes run before the counters go up in forward, those of the document after', async () => {
    const order: string[] = [];
    const own: NodeType = defineNode({
      type: 'test/observed',
      description: 'a node that observes',
      role: 'compute',
      params: T.Object({}),
      inputs: { x: batch.tensor('float32', ['N', 'D']) },
      outputs: { x: batch.tensor('float32', ['N', 'D']) },
      brings: () => [{ type: 'hook/brought' }],
      create: () => ({
        run: ({ x }) => ({ x }),
        hooks: { forward: ({ progress }) => void order.push(`instance ${progress.iteration} ${progress.step}`) },
      }),
    });
    const say = (name: string) => () => ({
      forward: ({ progress }: HookEvent) => void order.push(`${name} ${progress.iteration} ${progress.step}`),
    });
    await withFolder(async (out) => {
      const document = classifier({
        nodes: {
          noise: { type: 'test/observed', inputs: { x: 'trunk.features' } },
          images: { type: 'dataset/shapes', length: 8, size: 8 },
        },
        run: { epochs: 1 },
        hooks: [{ type: 'hook/listed' }],
      });
      const extra = [own, hook('hook/brought', say('brought')), hook('hook/listed', say('listed'))];
      await runDocument(document, out, { extra });
    });
    const expected = ['instance 0 0', 'brought 0 0', 'listed 1 1', 'instance 1 1', 'brought 1 1', 'listed 2 2'];
    assert.deepEqual(order, expected);
  });

  it('are awaited one after another', async () => {
    const order: string[] = [];
    const slow = hook('hook/slow', () => ({
      async start() {
        await new Promise((resolve) => setTimeout(resolve, 20));
        order.push('slow');
      },
    }));
    const fast = hook('hook/fast', () => ({ start: () => void order.push('fast') }));
    await withFolder((out) =>
      runDocument(classifier({ run: { epochs: 0 }, hooks: [{ type: 'hook/slow' }, { type: 'hook/fast' }] }), out, {
        extra: [slow, fast],
      }),
    );
    assert.deepEqual(order, ['slow', 'fast']);
  });

  it('work with recording off, and may drop or replace gradients', async () => {
    const { tf } = await openBackend('cpu');
    const before = new Map<string, Float32Array>();
    const after = new Map<string, Float32Array>();
    const names = ['head.clf.weight', 'head.clf.bias', 'trunk._feature_blocks.conv1.weight'];
    await train(
      () => ({
        async phase_start(_event, run) {
          for (const name of names) before.set(name, (await run.parameters.get(name)!.value().data()) as Float32Array);
        },
        forward(_event, run) {
          // were this recorded, the gradient of the weight would change
          tf.mul(run.parameters.get('head.clf.weight')!.value(), 1000);
        },
        backward(_event, run) {
          run.parameters.get('head.clf.weight')!.setGradient(null);
          const bias = run.parameters.get('head.clf.bias')!;
          bias.setGradient(tf.onesLike(bias.value()));
        },
        async update(event, run) {
          if (event.progress.iteration > 1) return;
          for (const name of names) after.set(name, (await run.parameters.get(name)!.value().data()) as Float32Array);
        },
      }),
      {
        nodes: {
          sgd: { type: 'optimizer/sgd', inputs: { loss: 'loss.loss' }, lr: 0.5, momentum: 0, weight_decay: 0 },
        },
      },
    );
    assert.deepEqual(after.get('head.clf.weight'), before.get('head.clf.weight'));
    const bias = before.get('head.clf.bias')!.map((value) => Math.fround(value - 0.5));
    assert.deepEqual(after.get('head.clf.bias'), bias);
    assert.notDeepEqual(after.get(names[2]), before.get(names[2]));
  });

  it('that fail end the run with their name, after the event exception', async () => {
    const errors: unknown[] = [];
    await assert.rejects(
      train(() => ({
        loss_and_meter() {
          throw new Error('no good');
        },
        exception: (event) => void errors.push((event.error as Error).message),
      })),
      { name: 'HookError', message: 'hook probe failed on loss_and_meter: no good' },
    );
    assert.deepEqual(errors, ['hook probe failed on loss_and_meter: no good']);
  });

  it('may pass over a phase without gradient', async () => {
    const rows: number[] = [];
    const { backend } = { backend: await openBackend('cpu') };
    await train(() => ({
      async start(_event, run) {
        const before = backend.memory().tensors;
        await run.pass({
          phase: 'train',
          ports: ['trunk.features', 'batch.index'],
          async onBatch(values) {
            assert.deepEqual(values['trunk.features'].shape, [4, 4]);
            rows.push(...((await values['batch.index'].data()) as Int32Array));
          },
        });
        assert.equal(backend.memory().tensors, before);
      },
    }));
    assert.deepEqual(
      rows.sort((a, b) => a - b),
      Array.from({ length: 24 }, (_, i) => i),
    );
  });

  it('may pass as in training: by statistics of the batch, which move the running ones, on draws of no epoch', async () => {
    const name = 'trunk._feature_blocks.bn1.running_mean';
    const seen: { order: number[]; means: number[] }[] = [];
    await train(() => ({
      async start(_event, run) {
        for (const training of [false, true]) {
          const order: number[] = [];
          await run.pass({
            phase: 'train',
            ports: ['trunk.features', 'batch.index'],
            training,
            async onBatch(values) {
              order.push(...((await values['batch.index'].data()) as Int32Array));
            },
          });
          seen.push({ order, means: [...(await run.buffers.get(name)!.value().data())] });
        }
      },
    }));
    const [evaluation, training] = seen;
    assert.deepEqual(evaluation.means, [0, 0, 0, 0]);
    assert.ok(training.means.every((mean) => mean !== 0));
    assert.notDeepEqual(training.order, evaluation.order);
    assert.deepEqual(new Set(training.order), new Set(evaluation.order));
  });

  it('of forward come before a momentum encoder runs', async () => {
    const targets: number[][] = [];
    const { tf } = await openBackend('cpu');
    await train(
      () => ({
        forward(_event, run) {
          assert.equal(run.output('key_head.scores'), undefined);
          for (const name of ['key_head.clf.weight', 'key_head.clf.bias']) {
            const view = run.parameters.get(name)!;
            view.assign(tf.zerosLike(view.value()));
          }
        },
        async loss_and_meter(_event, run) {
          targets.push([
            ...((await (run.output('target.target') as ReturnType<typeof tf.zeros>).data()) as Float32Array),
          ]);
        },
      }),
      {
        nodes: {
          images: { type: 'dataset/shapes', length: 4, size: 8 },
          key_trunk: { type: 'test/trunk', inputs: { images: 'batch.images' }, frozen: 'parameters' },
          key_head: {
            type: 'test/head',
            inputs: { features: 'key_trunk.features' },
            frozen: 'parameters',
            classes: 10,
          },
          target: { type: 'test/centered_target', inputs: { scores: 'key_head.scores' } },
          loss: { type: 'test/cross_entropy', inputs: { scores: 'head.scores', target: 'target.target' } },
        },
      },
    );
    assert.deepEqual(targets, [Array.from({ length: 40 }, () => Math.fround(0.1))]);
  });

  it('see the events of a step of one’s own', async () => {
    const order: string[] = [];
    const step: BatchStep = async (stages) => {
      await stages.forward();
      await stages.loss();
      await stages.event('loss_and_meter');
      await stages.backward();
      if (order.length % 2 === 0) await stages.update();
      await stages.event('step');
    };
    const result = await withFolder((out) =>
      runDocument(classifier({ run: { epochs: 1 } }), out, {
        step,
        onEvent: (event) => {
          if ('progress' in event && event.type !== 'node') order.push(event.type);
        },
      }),
    );
    assert.equal(result.iteration, 6);
    const batchOf = ['loss_and_meter', 'step'];
    assert.deepEqual(order, ['start', 'phase_start', ...Array(6).fill(batchOf).flat(), 'phase_end', 'end']);
  });
});
