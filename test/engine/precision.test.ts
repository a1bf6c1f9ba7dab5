/** Where a run's number format holds, on a backend that has others than float32. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GraphEvent, HookEvent, RunView } from '../../runtime/events.ts';
import { batch, defineNode, type NodeType, once, phase, T } from '../../runtime/node.ts';
import { startPipeline } from '../../runtime/pipeline/start.ts';
import { openBackend } from '../../runtime/tensor/backend.ts';
import type { Tensor, TensorApi, TensorBackend } from '../../runtime/tensor/types.ts';
import { hasFloat16, withTorch } from '../tensor/torch/support.ts';
import { classifier, runDocument, withFolder } from './fixtures/graph.ts';

/** 1/3 as a matrix product gives it back: rounded, where products are low. */
const product = (tf: TensorApi): number => tf.tidy(() => tf.matMul([[1 / 3]], [[1]]).dataSync()[0]);
const WHOLE = Math.fround(1 / 3);
const ROUNDED = 0.333984375;

/** Whether values have the digits of float32 when they are worked on one by one. */
function isWhole(tf: TensorApi, x: Tensor): boolean {
  const [kept, copied] = tf.tidy(() =>
    [x, tf.tensor(x.dataSync().slice(), x.shape)].map((y) => tf.mul(y, 1 / 3).dataSync()),
  );
  return kept.every((value, i) => value === copied[i]);
}

/** Node types that say in which format they work, and what they are given. */
function probes() {
  const seen: Record<string, Set<string>> = {};
  const note = (where: string, tf: TensorApi, x?: Tensor): void => {
    const found = product(tf);
    assert.ok(found === WHOLE || found === ROUNDED, `${where}: ${found}`);
    const given = x === undefined ? [] : [isWhole(tf, x) ? 'float32' : 'low'];
    seen[where] ??= new Set();
    seen[where].add([found === WHOLE ? 'float32' : 'low', ...given].join(', of '));
  };
  const x = { x: batch.tensor('float32', ['N', 'D']) };
  const described = { description: 'looks on', params: T.Object({}) };
  const types = [
    defineNode({
      ...described,
      type: 'test/look',
      role: 'compute',
      inputs: x,
      outputs: x,
      create:
        ({ name, tf }) =>
        ({ x }, { training }) => {
          note(`${name}${training ? ' in training' : ''}`, tf, x);
          return { x };
        },
    }),
    defineNode({
      ...described,
      type: 'test/look_head',
      role: 'model',
      inputs: { features: batch.tensor('float32', ['N', 'D']) },
      outputs: { scores: batch.tensor('float32', ['N', 'K']) },
      // without a bias its scores are kept as the product makes them
      model: () => ({
        stages: [{ name: 'clf', layer: { op: 'linear', in: 4, out: 10, bias: false } }],
        outputs: { scores: { stage: 'clf' } },
      }),
    }),
    defineNode({
      ...described,
      type: 'test/look_loss',
      role: 'loss',
      inputs: x,
      outputs: { loss: batch.scalar('float32') },
      create:
        ({ name, tf }) =>
        ({ x }, { training }) => {
          note(`${name}${training ? ' in training' : ''}`, tf, x);
          // the gradient of a product, taken on the way back
          const seenBack = tf.customGrad((value) => ({
            value: tf.clone(value as Tensor),
            gradFunc: (dy: Tensor) => {
              note('backward in training', tf);
              return tf.clone(dy);
            },
          }));
          return { loss: tf.mean(tf.square(training ? seenBack(x) : x)) };
        },
    }),
    defineNode({
      ...described,
      type: 'test/look_meter',
      role: 'meter',
      inputs: x,
      outputs: { metrics: phase.metrics() },
      create: ({ name, tf }) => ({
        reset: () => undefined,
        add: ({ x }) => note(name, tf, x),
        finish: () => ({ metrics: {} }),
      }),
    }),
    defineNode({
      ...described,
      type: 'test/look_bank',
      role: 'bank',
      inputs: x,
      outputs: { bank: once.bank(['M', 'D']) },
      create: ({ name, tf }) => ({
        reset: () => undefined,
        add: ({ x }) => note(name, tf, x),
        finish: () => ({ bank: {} }),
      }),
    }),
    defineNode({
      ...described,
      type: 'test/look_once',
      role: 'evaluator',
      inputs: { bank: once.bank() },
      outputs: { metrics: once.metrics() },
      create:
        ({ name, tf }) =>
        () => {
          note(name, tf);
          return { metrics: {} };
        },
    }),
    defineNode({
      ...described,
      type: 'hook/test_look',
      role: 'hook',
      create: ({ tf }) => {
        const look = (event: HookEvent, run: RunView) => {
          const scores = event.progress.training ? run.output('head.scores') : undefined;
          note(
            `hook on ${event.type}${event.progress.training ? ' in training' : ''}`,
            tf,
            scores as Tensor | undefined,
          );
        };
        return { start: look, forward: look, loss_and_meter: look, backward: look, update: look, step: look };
      },
    }),
  ] as NodeType[];
  return { types, seen: () => Object.fromEntries(Object.entries(seen).map(([where, what]) => [where, [...what]])) };
}

const modelOf = (checkpoint: string) => readFile(join(checkpoint, 'model.safetensors'));

withTorch('the precision of a run', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('torch');
  });
  beforeEach(() => backend.activate());

  it('holds in models and in what training goes through, and nowhere else', () =>
    withFolder(async (out) => {
      const { types, seen } = probes();
      const images = { train: 'batch.images', test: 'test_batch.images', bank: 'bank_batch.images' };
      const batches = (name: string) => ({
        type: 'collator/default',
        from: 'tensors',
        batch_size: 12,
        phase: name,
      });
      const document = classifier({
        nodes: {
          trunk: { type: 'test/trunk', inputs: { images } },
          head: { type: 'test/look_head', inputs: { features: 'trunk.features' } },
          noise: { type: 'test/look', inputs: { x: 'head.scores' } },
          loss: { type: 'test/look_loss', inputs: { x: 'noise.x' } },
          meter: { type: 'test/look_meter', inputs: { x: 'head.scores' } },
          test_batch: batches('test'),
          bank_batch: batches('bank'),
          bank: { type: 'test/look_bank', inputs: { x: { bank: 'noise.x' } } },
          evaluator: { type: 'test/look_once', inputs: { bank: 'bank.bank' } },
        },
        run: { precision: 'bfloat16', epochs: 1, phases: ['train', 'test'] },
        hooks: [{ type: 'hook/test_look' }],
      });
      await runDocument(document, out, { backend, extra: types });
      const [low, float32] = [['low'], ['float32']];
      const floats = ['float32, of float32'];
      assert.deepEqual(seen(), {
        'noise in training': ['low, of low'],
        'loss in training': ['low, of float32'],
        'backward in training': low,
        meter: floats,
        'hook on start': float32,
        'hook on forward in training': floats,
        'hook on loss_and_meter in training': floats,
        'hook on backward in training': float32,
        'hook on update in training': float32,
        'hook on step in training': float32,
        noise: floats,
        loss: floats,
        'hook on forward': float32,
        'hook on loss_and_meter': float32,
        'hook on step': float32,
        bank: floats,
        evaluator: float32,
      });
      assert.equal(product(backend.tf), WHOLE);
    }));

  it('leaves the distances of kNN and of k-means as they are in float32', () =>
    withFolder(async (folder) => {
      const pixels = defineNode({
        type: 'test/pixels',
        description: 'a few colours of an image',
        role: 'compute',
        params: T.Object({}),
        inputs: { images: batch.image(['N', 'H', 'W', 3]) },
        outputs: { x: batch.tensor('float32', ['N', 'D']) },
        create:
          ({ tf }) =>
          ({ images }) => ({ x: tf.reshape(tf.slice(images, [0, 0, 0, 0], [-1, 4, 4, 3]), [images.shape[0], 48]) }),
      }) as NodeType;
      let products = 0;
      const clusters = defineNode({
        type: 'test/same_clusters',
        description: 'distances as they are found',
        role: 'evaluator',
        params: T.Object({}),
        inputs: { distances: once.tensor('float32', ['M']), assignments: once.label(['S']) },
        outputs: { metrics: once.metrics() },
        create:
          ({ tf }) =>
          ({ distances, assignments }) => {
            if (product(tf) === WHOLE) products++;
            const entries = [...distances, ...assignments].map((value, i) => [`value${i}`, value]);
            return { metrics: Object.fromEntries(entries) };
          },
      }) as NodeType;
      const found = [];
      for (const precision of ['float32', 'bfloat16']) {
        const document = classifier({
          nodes: {
            bank_batch: { type: 'collator/default', from: 'tensors', batch_size: 8, phase: 'bank' },
            pixels: { type: 'test/pixels', inputs: { images: 'bank_batch.images' } },
            bank: {
              type: 'features/bank',
              inputs: { features: 'pixels.x', index: 'bank_batch.index', label: 'bank_batch.label' },
            },
            kmeans: { type: 'cluster/kmeans', inputs: { features: 'bank.bank' }, num_clusters: 4, iterations: 5 },
            clusters: {
              type: 'test/same_clusters',
              inputs: { distances: 'kmeans.distances', assignments: 'kmeans.assignments' },
            },
            knn: { type: 'evaluator/knn', inputs: { bank: 'bank.bank', queries: 'bank.bank' }, k: 3 },
          },
          run: { precision, epochs: 1, evaluate: ['start', 'end'] },
        });
        const extra = [pixels, clusters];
        const { metrics } = await runDocument(document, join(folder, precision), { backend, extra });
        const { train_loss, ...rest } = metrics;
        found.push({ rest, train_loss });
      }
      assert.ok(products > 0 && Object.keys(found[0].rest).some((name) => name.startsWith('knn')));
      assert.deepEqual(found[1].rest, found[0].rest);
      assert.notEqual(found[1].train_loss, found[0].train_loss, 'training was not in bfloat16');
    }));

  for (const precision of hasFloat16() ? ['bfloat16', 'float16'] : ['bfloat16']) {
    it(`in ${precision}, a resumed run and one with activation checkpointing give the weights of one without`, async () => {
      await withFolder(async (folder) => {
        const train = async (name: string, more: readonly string[] = [], stopAfter = 0) => {
          const run = startPipeline(
            { extends: 'quick/swav', hooks: [] },
            {
              out: join(folder, name),
              device: 'torch',
              workers: 0,
              overrides: [
                ...['train_images=32', 'batch_size=16', 'epochs=2', 'num_crops=[2]', 'size_crops=[16]', 'width=0.125'],
                ...['size=16', 'prototypes=[8]', 'run.evaluate=[]', `run.precision=${precision}`],
                // scores of the queue are kept from step to step
                'nodes.loss.queue={"queue_length":32,"start_iter":1}',
                ...more,
              ],
            },
          );
          run.events.subscribe((event) => {
            if (event.type === 'step' && event.progress.iteration === stopAfter) run.stop();
          });
          return run.finished;
        };
        const whole = await train('whole');
        assert.equal((await train('stopped', [], 3)).status, 'stopped');
        const resumed = await train('stopped');
        const dropped = await train('dropped', ['nodes.trunk.activation_checkpointing=4']);
        const model = await modelOf(whole.checkpoint!);
        for (const other of [resumed, dropped]) assert.ok(model.equals(await modelOf(other.checkpoint!)));
      });
    }).timeout(300_000);
  }

  it('float32: quick/swav learns the same on torch and on wasm', () =>
    withFolder(async (folder) => {
      const curve = async (device: string): Promise<number[]> => {
        const losses: number[] = [];
        const run = startPipeline(
          { extends: 'quick/swav', hooks: [] },
          {
            out: join(folder, device),
            device,
            workers: 0,
            overrides: [
              ...['train_images=96', 'test_images=8', 'batch_size=16', 'epochs=2', 'width=0.125', 'prototypes=[8]'],
              'run.evaluate=[]',
              'lr=0.05',
            ],
          },
        );
        run.events.subscribe((event: GraphEvent) => {
          if (event.type === 'step') losses.push(event.loss!);
        });
        await run.finished;
        return losses;
      };
      const [wasm, torch] = [await curve('wasm'), await curve('torch')];
      assert.equal(wasm.length, 12);
      // rounding differs, and grows from step to step
      for (const [i, loss] of torch.entries()) {
        assert.ok(Math.abs(loss - wasm[i]) < 2e-3, `step ${i + 1}: ${loss} on torch, ${wasm[i]} on wasm`);
      }
    })).timeout(300_000);
});
