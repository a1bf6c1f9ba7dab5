import assert from 'node:assert/strict';
import { join } from 'node:path';
import mlp from '../../nodes/heads/mlp.ts';
import mocoLoss from '../../nodes/losses/moco.ts';
import regnet from '../../nodes/trunks/regnet.ts';
import type { HostTensor, OpenSource } from '../../runtime/engine/batches.ts';
import { mixedBetweenRanks } from '../../runtime/engine/shared-batch.ts';
import type { HookHandlers } from '../../runtime/events.ts';
import { type ComputeContext, defineNode, type NodeType, T } from '../../runtime/node.ts';
import { createRandom } from '../../runtime/random.ts';
import { openBackend } from '../../runtime/tensor/backend.ts';
import { torchShape } from '../../runtime/tensor/model/layout.ts';
import type { Tensor, TensorBackend } from '../../runtime/tensor/types.ts';
import { openSafetensors, type TensorSource, writeSafetensors } from '../../runtime/train/safetensors.ts';
import { within } from '../oracles/compare.ts';
import { formulaImages, formulaWeights, hashName, uniformAt } from '../oracles/formula.ts';
import { weightValues } from '../oracles/layout.ts';
import { createSpecModel, describe as describeModel } from '../oracles/model.ts';
import { oracleFolder, readOracles } from '../oracles/oracle-file.ts';
import { nearBrief } from '../oracles/summaries.ts';
import { meetingRanks } from '../support/node-context.ts';
import { classifier, openGraph, runDocument, withFolder } from './fixtures/graph.ts';

type Any = Record<string, any>;

/** A hook whose handlers a test gives, and which names outputs so that they are kept. */
const watching = (handlers: HookHandlers): NodeType =>
  defineNode({
    type: 'hook/test_watch',
    description: 'what the test wants to see',
    role: 'hook',
    params: T.Object({ output: T.Optional(T.String()) }),
    create: () => handlers,
  }) as NodeType;

/** A classifier whose trunk has a momentum copy that a second loss reads. */
const followed = (momentum: object, hooks: object[] = [], run: object = {}): object =>
  classifier({
    nodes: {
      slow: { type: 'model/momentum', of: ['trunk', 'head'], inputs: { images: 'batch.images' }, ...momentum },
      soft: { type: 'test/centered_target', inputs: { scores: 'slow.scores' } },
      head: { type: 'test/head', inputs: { features: 'trunk.features' }, classes: 10 },
      noise: null,
      loss: { type: 'test/cross_entropy', inputs: { scores: 'head.scores', target: 'soft.target' } },
    },
    hooks,
    run,
  });

const withoutNoise = (document: object): object => {
  const { noise: _, ...nodes } = (document as Any).nodes;
  return { ...document, nodes };
};

async function tensorsOf(checkpoint: string): Promise<Map<string, Float32Array>> {
  const file = await openSafetensors(join(checkpoint, 'model.safetensors'));
  const found = new Map<string, Float32Array>();
  for (const [name, { dtype }] of file.tensors) if (dtype === 'F32') found.set(name, await file.readFloats(name));
  await file.close();
  return found;
}

describe('momentum copies', () => {
  it('begin as copies, move before their own pass, and are saved under their own names', () =>
    withFolder(async (out) => {
      const name = '_feature_blocks.conv1.weight';
      const seen: { own: Float32Array; slow: Float32Array }[] = [];
      const watch = watching({
        async loss_and_meter({ progress }, run) {
          const value = async (node: string) =>
            Float32Array.from(await run.parameters.get(`${node}.${name}`)!.value().data());
          if (progress.iteration <= 4) seen.push({ own: await value('trunk'), slow: await value('slow/trunk') });
        },
      });
      const document = withoutNoise(followed({ momentum: 0.75 }, [{ type: 'hook/test_watch' }]));
      const result = await runDocument(document, out, { extra: [watch] });
      let expected = seen[0].own;
      assert.deepEqual(seen[0].slow, expected);
      for (const { own, slow } of seen.slice(1)) {
        expected = expected.map((old, i) => Math.fround(Math.fround(old * 0.75) + Math.fround(own[i] * 0.25)));
        for (const [i, value] of slow.entries()) within(value, expected[i], 1e-6, 'the average');
      }
      const saved = await tensorsOf(result.checkpoint!);
      assert.ok([...saved.keys()].some((key) => key === `slow/trunk.${name}`));
      assert.notDeepEqual(saved.get(`slow/trunk.${name}`), saved.get(`trunk.${name}`));
      const statistics = '_feature_blocks.bn1.running_mean';
      assert.notDeepEqual(saved.get(`slow/trunk.${statistics}`), saved.get(`trunk.${statistics}`));
    }));

  it('may copy the running statistics and use them', () =>
    withFolder(async (out) => {
      const statistics = '_feature_blocks.bn1.running_mean';
      const same: boolean[] = [];
      const watch = watching({
        async loss_and_meter(_event, run) {
          const [own, slow] = ['trunk', 'slow/trunk'].map((node) => run.buffers.get(`${node}.${statistics}`)!.value());
          same.push(String(await own.data()) === String(await slow.data()));
        },
      });
      const settings = { momentum: 0.9, statistics: 'copy', eval_mode_from_iteration: 3 };
      const document = withoutNoise(followed(settings, [{ type: 'hook/test_watch' }]));
      await runDocument(document, out, { extra: [watch] });
      // until step 3 the copy's own pass moves what was copied
      assert.deepEqual(same.slice(0, 6), [false, false, false, true, true, true]);
    }));

  it('take a schedule of the momentum: its value of the step before', () =>
    withFolder(async (out) => {
      const document = withoutNoise(
        followed({ momentum: { schedule: 'step', values: [1, 0] } }, [{ type: 'hook/test_watch' }]),
      );
      const name = '_feature_blocks.conv1.weight';
      const moved: boolean[] = [];
      let before = '';
      const watch = watching({
        async loss_and_meter(_event, run) {
          const now = String(await run.parameters.get(`slow/trunk.${name}`)!.value().data());
          moved.push(before !== '' && now !== before);
          before = now;
        },
      });
      await runDocument(document, out, { extra: [watch] });
      // 12 steps: momentum 1 for the updates of the first 6
      assert.deepEqual(moved, [...Array(7).fill(false), ...Array(5).fill(true)]);
    }));

  it('resume bit for bit', () =>
    withFolder((whole) =>
      withFolder(async (out) => {
        const document = withoutNoise(followed({ momentum: 0.9, statistics: 'average' }));
        const stop = new AbortController();
        const expected = await runDocument(document, whole);
        await runDocument(document, out, {
          signal: stop.signal,
          onEvent: (event) => {
            if (event.type === 'step' && event.progress.iteration === 5) stop.abort();
          },
        });
        const result = await runDocument(document, out);
        assert.deepEqual(await tensorsOf(result.checkpoint!), await tensorsOf(expected.checkpoint!));
      }),
    ));

  it('are checked: same type, same params, a number from 0 to 1', async () => {
    const nodes = {
      a: { type: 'test/head', inputs: { features: 'trunk.features' }, classes: 10, follows: { node: 'trunk' } },
      b: { type: 'test/head', inputs: { features: 'trunk.features' }, classes: 9, shares: 'head' },
      c: { type: 'test/head', inputs: { features: 'trunk.features' }, classes: 10, shares: 'hed' },
      d: { type: 'test/head', inputs: { features: 'trunk.features' }, classes: 10, shares: 'loss' },
      e: { type: 'test/head', inputs: { features: 'trunk.features' }, classes: 10, shares: 'e' },
      f: {
        type: 'test/head',
        inputs: { features: 'trunk.features' },
        classes: 10,
        follows: { node: 'head', momentum: 2 },
      },
    };
    const error = (await openGraph(classifier({ nodes })).catch((e: Error) => e)) as Error;
    const lines = error.message.split('\n').filter((line) => /\.(follows|shares)/.test(line));
    assert.deepEqual(
      lines.map((line) => line.replace(/^[^:]*?([a-f]\.)/, '$1')),
      [
        'a.follows: trunk is test/trunk, not test/head. Both must be of one type.',
        'b.shares: classes is not that of head. Give both the same params.',
        'c.shares: there is no node "hed". Did you mean "head"?',
        'd.shares: loss (test/cross_entropy) is a loss and has no parameters. Name models.',
        'e.shares: e has no parameters of its own.',
        'f.follows: momentum is 2. Give a number from 0 to 1, such as 0.999.',
      ],
    );
  });
});

describe('applied models', () => {
  /** cross entropy of the head on two feature sets: once by two losses of shared models, once by sharing nothing */
  const applied = (hooks: object[]): object =>
    withoutNoise(
      classifier({
        nodes: {
          noise: null,
          head: { type: 'test/head', inputs: { features: 'trunk.features' }, classes: 10 },
          again: { type: 'model/apply', of: ['trunk', 'head'], inputs: { images: 'batch.images' } },
          first: { type: 'test/cross_entropy', inputs: { scores: 'head.scores', label: 'batch.label' } },
          second: { type: 'test/cross_entropy', inputs: { scores: 'again.scores', label: 'batch.label' } },
          loss: { type: 'test/sum', inputs: { losses: ['first.loss', 'second.loss'] } },
        },
        hooks,
      }),
    );
  const single = (hooks: object[]): object =>
    withoutNoise(
      classifier({
        nodes: {
          noise: null,
          head: { type: 'test/head', inputs: { features: 'trunk.features' }, classes: 10 },
          first: { type: 'test/cross_entropy', inputs: { scores: 'head.scores', label: 'batch.label' } },
          loss: { type: 'test/sum', inputs: { losses: ['first.loss'] } },
        },
        hooks,
      }),
    );

  it('have one set of parameters; gradients of all uses add up', () =>
    withFolder(async (out) => {
      const gradients = async (document: object, folder: string) => {
        const found = new Map<string, Float32Array>();
        const watch = watching({
          async backward({ progress }, run) {
            if (progress.iteration > 1) return;
            for (const [name, view] of run.parameters)
              found.set(name, Float32Array.from(await view.gradient()!.data()));
          },
        });
        const result = await runDocument(document, join(out, folder), { extra: [watch] });
        return { found, saved: await tensorsOf(result.checkpoint!) };
      };
      const hooks = [{ type: 'hook/test_watch' }];
      const twice = await gradients(applied(hooks), 'twice');
      const once = await gradients(single(hooks), 'once');
      assert.deepEqual([...twice.found.keys()], [...once.found.keys()]);
      assert.deepEqual([...twice.saved.keys()], [...once.saved.keys()]);
      for (const [name, values] of once.found) {
        const limit = 1e-5 * Math.max(...values.map(Math.abs), 1e-3);
        for (const [i, value] of twice.found.get(name)!.entries()) within(value, 2 * values[i], limit, name);
      }
    }));
});

describe('images mixed between ranks', () => {
  it('come back to their places, and statistics are over mixed images', async () => {
    const backend = await openBackend('cpu');
    const { tf } = backend;
    const ranks = meetingRanks(backend, 2);
    const inputs = [0, 1].map((rank) => tf.tensor2d(Array.from({ length: 4 }, (_, i) => [10 * rank + i])));
    const seen: number[][] = [];
    const results = await Promise.all(
      inputs.map((x, rank) =>
        mixedBetweenRanks(tf, ranks[rank], createRandom(1, 'mix'), x, (images) => {
          seen[rank] = Array.from((images as Tensor).dataSync());
          return { y: tf.add(images as Tensor, 100), list: [tf.mul(images as Tensor, 2)] };
        }),
      ),
    );
    for (const [rank, { y, list }] of results.entries()) {
      const own = [0, 1, 2, 3].map((i) => 10 * rank + i);
      assert.deepEqual(
        Array.from((y as Tensor).dataSync()),
        own.map((v) => v + 100),
      );
      assert.deepEqual(
        Array.from((list[0] as Tensor).dataSync()),
        own.map((v) => v * 2),
      );
    }
    assert.deepEqual(
      [...seen[0], ...seen[1]].sort((a, b) => a - b),
      [0, 1, 2, 3, 10, 11, 12, 13],
    );
    assert.ok(seen.some((values, rank) => values.some((v) => v >= 10 !== (rank === 1))));
  });
});

describe('MoCo as a document', () => {
  it('trains as the reference does', async function () {
    this.timeout(120_000);
    const files = await readOracles(oracleFolder());
    const moco = files
      .find(({ path }) => path === 'training/short_runs.json')!
      .cases.find(({ params }) => params.kind === 'moco')!;
    const { params, outputs } = moco as Any;
    const backend = await openBackend('wasm');
    await withFolder(async (out) => {
      const { name: _, ...trunkParams } = params.trunk_config;
      const weights = join(out, 'weights.safetensors');
      await writeSafetensors(weights, [
        ...formulaTensors(backend, regnet as NodeType, trunkParams, 'trunk.'),
        ...formulaTensors(backend, mlp as NodeType, params.head[0][1], 'heads.0.'),
      ]);
      const document = {
        name: 'moco',
        nodes: {
          images: { type: 'dataset/shapes', length: params.batch, size: params.size },
          two: { type: 'transform/replicate', from: 'images', num_times: 2 },
          tensors: { type: 'transform/to_tensor', from: 'two' },
          batch: { type: 'collator/moco', from: 'tensors', batch_size: params.batch },
          trunk: { type: 'trunk/regnet', inputs: { images: 'batch.query' }, ...trunkParams, weights },
          head: {
            type: 'head/mlp',
            inputs: { features: 'trunk.avgpool' },
            ...params.head[0][1],
            weights,
            weights_prefix: 'heads.0.',
          },
          keys: {
            type: 'model/momentum',
            of: ['trunk', 'head'],
            inputs: { images: 'batch.key' },
            momentum: params.momentum,
          },
          unit: { type: 'features/l2_normalize', from: 'keys.output' },
          loss: {
            type: 'test/moco',
            inputs: { query: 'head.output', key: 'unit.features' },
            queue_size: params.queue,
            temperature: params.temperature,
          },
          sgd: {
            type: 'optimizer/sgd',
            inputs: { loss: 'loss.loss' },
            ...params.opt,
            lr: { schedule: 'multistep', values: params.sched.values, milestones: params.sched.milestones },
          },
        },
        run: { epochs: params.steps, workers: 0 },
        hooks: [{ type: 'hook/test_watch', output: 'unit.features' }],
      };
      const first = 'keys/trunk._feature_blocks.conv1.stem.0.weight';
      let step = 0;
      const watch = watching({
        async loss_and_meter({ loss }, run) {
          const want = outputs.steps[step++];
          within(loss!, want.loss, want.loss_tol, `loss of step ${step}`);
          const key = run.output('unit.features') as Tensor;
          nearBrief(key.shape, Float32Array.from(await key.data()), want.key, `keys of step ${step}`);
          const { shape, values } = await weightValues(run.parameters.get(first)!.value());
          nearBrief(shape, values, want.momentum_encoder_first_weight, `momentum encoder of step ${step}`);
        },
        async end(_event, run) {
          for (const [name, view] of [...run.parameters, ...run.buffers]) {
            if (name.startsWith('keys/')) continue;
            const { shape, values } = await weightValues(view.value());
            nearBrief(
              shape,
              values,
              outputs.state_after[name.replace(/^head\./, 'heads.0.')],
              `after the run: ${name}`,
            );
          }
        },
      });
      const result = await runDocument(document, join(out, 'run'), {
        backend,
        extra: [watch, mocoWithQueue(params)],
        openSource: formulaBatches(backend, params),
      });
      assert.deepEqual([result.status, step], ['done', params.steps]);
    });
  });
});

function formulaTensors(backend: TensorBackend, type: NodeType, params: object, prefix: string): TensorSource[] {
  const model = createSpecModel(backend, describeModel(type, params as Any));
  const tensors = [...model.variables.values()].map(({ name, variable }): TensorSource => {
    const shape = torchShape(variable.shape);
    const values = formulaWeights(prefix + name, shape);
    const integer = variable.dtype === 'int32';
    return {
      name: prefix + name,
      dtype: integer ? 'I32' : 'F32',
      shape,
      read: () => (integer ? Int32Array.from(values) : values),
    };
  });
  model.dispose();
  return tensors;
}

/** The loss with the reference's first queue. */
function mocoWithQueue({ queue: size }: Any): NodeType {
  const type = mocoLoss as unknown as Extract<NodeType, { role: 'compute' | 'target' | 'loss' }>;
  const hash = hashName('queue');
  return {
    ...type,
    type: 'test/moco',
    aliases: [],
    create: (context: ComputeContext<any>) =>
      type.create({
        ...context,
        state: {
          ...context.state,
          tensor: (name, shape, dtype, init) =>
            context.state.tensor(name, shape, dtype, name === 'queue' ? () => unitColumns(shape[0], size, hash) : init),
        },
      }),
  } as NodeType;
}

function unitColumns(width: number, size: number, hash: number): Float32Array {
  const values = Array.from({ length: width * size }, (_, i) => 2 * uniformAt(hash, i) - 1);
  const lengths = Array.from({ length: size }, (_, j) =>
    Math.hypot(...Array.from({ length: width }, (_, i) => values[i * size + j])),
  );
  return Float32Array.from(values, (value, i) => value / lengths[i % size]);
}

/** One batch per epoch: the reference's images of that step. */
const formulaBatches =
  (backend: TensorBackend, { batch, size }: Any): OpenSource =>
  async () => ({
    samples: batch,
    batchSize: batch,
    steps: 1,
    async *open({ epoch }) {
      const port = async (name: string): Promise<HostTensor> => {
        const images = formulaImages(backend, `step${epoch}/${name}`, [batch, 3, size, size]);
        const data = Float32Array.from(await images.data());
        images.dispose();
        return { data, shape: [batch, size, size, 3], dtype: 'float32' };
      };
      yield { ports: { query: await port('query'), key: await port('key') }, images: batch, release: () => {} };
    },
    close: async () => {},
  });
