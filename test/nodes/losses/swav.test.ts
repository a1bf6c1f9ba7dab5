import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import swav from '../../../nodes/losses/swav.ts';
import { createState } from '../../../runtime/engine/state.ts';
import type { HookEvent, RunView } from '../../../runtime/events.ts';
import type { NodeType, Values } from '../../../runtime/node.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { Tensor, TensorBackend } from '../../../runtime/tensor/types.ts';
import { openSafetensors } from '../../../runtime/train/safetensors.ts';
import { type ContextOptions, createInstance, nodeContext, tensorValue } from '../../support/node-context.ts';

const definition = swav as NodeType;
const facts = (training = true) => ({ phase: 'train', training, iteration: 0, epoch: 0 });

describe('loss/swav', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('wasm');
  });

  /** 2 crops of 4 images, 3 prototypes in 2 dimensions */
  const open = (options: ContextOptions = {}) =>
    createInstance(
      definition,
      nodeContext(backend, definition, {
        symbols: { V: 2, N: 4 },
        inputs: {
          scores: [tensorValue(8, 3)],
          embeddings: [tensorValue(8, 2)],
          prototypes: [tensorValue(2, 3)],
        },
        run: { batchSize: 4 },
        ...options,
      }),
    );
  const scores = (value = 0.1): Tensor =>
    backend.tf.tensor2d(
      Array.from({ length: 24 }, (_, i) => value * Math.sin(i)),
      [8, 3],
    );
  const embeddings = (): Tensor => backend.tf.ones([8, 2]);

  it('is log K when scores say nothing', async () => {
    await backend.scopeAsync(async () => {
      const { loss } = (await open().run(
        { scores: [backend.tf.zeros([8, 3])], embeddings: embeddings() },
        facts(),
      )) as Values;
      assert.ok(Math.abs((await loss.data())[0] - Math.log(3)) < 1e-6);
    });
  });

  it('assigns in double precision as in single', async () => {
    await backend.scopeAsync(async () => {
      const losses = [];
      for (const use_double_precision of [false, true]) {
        const { loss } = (await open({ params: { use_double_precision } }).run(
          { scores: [scores(1)], embeddings: embeddings() },
          facts(),
        )) as Values;
        losses.push((await loss.data())[0]);
      }
      assert.ok(Math.abs(losses[0] - losses[1]) < 1e-5, String(losses));
    });
  });

  it('keeps no tensor of a step but its state', async () => {
    const state = createState(backend);
    const instance = open({ state, params: { queue: { queue_length: 8 } } });
    const run = async () => {
      await backend.scopeAsync(async () => {
        const prototypes = [backend.tf.ones([2, 3])];
        await instance.run({ scores: [scores()], embeddings: embeddings(), prototypes }, facts());
        await instance.hooks!.loss_and_meter!({ loss: 1 } as HookEvent, {} as RunView);
      });
    };
    await run();
    const before = backend.memory().tensors;
    await run();
    await run();
    assert.equal(backend.memory().tensors, before);
    state.dispose();
  });

  it('counts steps and fills its queue in training only', async () => {
    const state = createState(backend);
    const instance = open({ state, params: { queue: { queue_length: 8, start_iter: 0 } } });
    const queue = async () => {
      const source = state.tensors(() => true).find(({ name }) => name === 'node.local_emb_queue')!;
      return Array.from((await source.read()) as Float32Array);
    };
    const inputs = () => ({ scores: [scores()], embeddings: embeddings(), prototypes: [backend.tf.ones([2, 3])] });
    const first = await queue();
    await backend.scopeAsync(async () => void (await instance.run(inputs(), facts(false))));
    assert.deepEqual(await queue(), first);
    assert.equal(state.numbers()['node.num_iteration'], 0);
    await backend.scopeAsync(async () => void (await instance.run(inputs(), facts())));
    const then = await queue();
    assert.deepEqual(then.slice(0, 8), Array(8).fill(1));
    assert.deepEqual(then.slice(8, 16), first.slice(0, 8));
    assert.equal(state.numbers()['node.num_iteration'], 1);
    state.dispose();
  });

  it('writes scores and assignments of a step whose loss is not finite', async () => {
    const out = await mkdtemp(join(tmpdir(), 'swav-'));
    const notices: string[] = [];
    const instance = open({ run: { batchSize: 4, out } });
    await backend.scopeAsync(async () => {
      await instance.run({ scores: [scores(Number.NaN)], embeddings: embeddings() }, facts());
      const event = { loss: Number.NaN, progress: { iteration: 7 } } as HookEvent;
      const view = { notice: (_: string, text: string) => notices.push(text) } as unknown as RunView;
      await instance.hooks!.loss_and_meter!(event, view);
    });
    assert.match(notices[0], /loss is NaN; scores and assignments are in .*rank0_node_step7\.safetensors/);
    const [name] = await readdir(join(out, 'nan'));
    const file = await openSafetensors(join(out, 'nan', name));
    assert.deepEqual([...file.tensors.keys()].sort(), ['assignments0_0', 'assignments0_1', 'scores0']);
    await file.close();
    await rm(out, { recursive: true });
  });

  it('says what is wrong with its wiring', () => {
    assert.throws(() => open({ symbols: {} }), /cannot tell the number of crops\. Feed it from a collator/);
    assert.throws(() => open({ symbols: { V: 1 } }), /needs two crops or more, not 1/);
    assert.throws(() => open({ params: { crops_for_assign: [0, 2] } }), /names crop 2, and there are 2/);
    const inputs = { scores: [tensorValue(8, 3)], embeddings: [tensorValue(8, 2)] };
    assert.throws(() => open({ inputs, params: { queue: { queue_length: 8 } } }), /a queue but no prototypes/);
    assert.throws(() => open({ params: { temperature: 0 } }), /temperature/);
  });

  it('drops a queue that is smaller than a batch, and says so', () => {
    const notices: string[] = [];
    open({ params: { queue: { queue_length: 3 } }, onNotice: (message) => notices.push(message) });
    assert.match(notices[0], /a queue of 3 is smaller than a batch of 4/);
  });

  it('refuses rows that are no whole number of images', async () => {
    await backend.scopeAsync(async () => {
      const inputs = { scores: [backend.tf.zeros([7, 3])], embeddings: backend.tf.zeros([7, 2]) };
      await assert.rejects(
        async () => open().run(inputs, facts()),
        /7 rows are no whole number of images with 2 crops/,
      );
    });
  });

  it('brings the hook that keeps prototypes at length 1, unless told not to', () => {
    const brings = (normalize_last_layer: boolean) =>
      definition.brings!({
        name: 'loss',
        params: { normalize_last_layer },
        inputs: { scores: ['head.scores'] },
      });
    assert.deepEqual(brings(true), [{ type: 'hook/normalize_prototypes', head: 'head' }]);
    assert.deepEqual(brings(false), []);
  });
});
