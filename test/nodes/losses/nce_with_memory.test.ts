import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import nce, { createNce } from '../../../nodes/losses/nce_with_memory.ts';
import { aliasTable, drawPlace } from '../../../runtime/alias-table.ts';
import { writeNpy } from '../../../runtime/data/npy-write.ts';
import { createState } from '../../../runtime/engine/state.ts';
import type { NodeType } from '../../../runtime/node.ts';
import { createRandom } from '../../../runtime/random.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import { createInstance, nodeContext } from '../../support/node-context.ts';

const definition = nce as NodeType;
const step = { phase: 'train', training: true, iteration: 0, epoch: 0 };

describe('alias table', () => {
  it('holds the distribution it was made from', () => {
    const weights = fc.array(fc.float({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(
        weights.filter((w) => w.some((x) => x > 1e-3)),
        (w) => {
          const { stays, becomes } = aliasTable(w);
          const share = new Float64Array(w.length);
          stays.forEach((p, i) => {
            share[i] += p / w.length;
            share[becomes[i]] += (1 - p) / w.length;
          });
          const sum = w.reduce((a, b) => a + b, 0);
          w.forEach((x, i) => {
            assert.ok(Math.abs(share[i] - x / sum) < 1e-5);
          });
        },
      ),
    );
  });

  it('is drawn from in its proportions', () => {
    const table = aliasTable([1, 0, 3]);
    const random = createRandom(0, 'alias');
    const counts = [0, 0, 0];
    for (let i = 0; i < 40_000; i++) counts[drawPlace(table, random)]++;
    assert.equal(counts[1], 0);
    assert.ok(Math.abs(counts[0] / 40_000 - 0.25) < 0.01, String(counts));
  });

  it('refuses what is no distribution', () => {
    assert.throws(() => aliasTable([1, -1]), /weight 1 is -1/);
    assert.throws(() => aliasTable([0, 0]), /all weights are 0/);
  });
});

describe('loss/nce_with_memory', () => {
  const open = async (params: object, run: object = {}) => {
    const backend = await openBackend('wasm');
    const state = createState(backend);
    const context = nodeContext(backend, definition, {
      params: params as Record<string, unknown>,
      symbols: { D: 2 },
      run: { trainSamples: 4, ...run },
      state,
    });
    return { backend, state, context };
  };
  const call = async (
    { backend, context }: Awaited<ReturnType<typeof open>>,
    instance = createInstance(definition, context),
  ) =>
    backend.scopeAsync(async () => {
      const { tf } = backend;
      const inputs = { outputs: [tf.tensor2d([1, 0, 0, 1], [2, 2])], index: tf.tensor1d([0, 1], 'int32') };
      const { loss } = (await instance.run(inputs, step)) as { loss: { data(): Promise<Float32Array> } };
      return (await loss.data())[0];
    });

  it('draws negatives by the weights of a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pipe-nce-'));
    try {
      const file = join(folder, 'weights.npy');
      await writeNpy(file, { shape: [4], values: Float32Array.of(0, 0, 0, 5) });
      const opened = await open({ num_negatives: 3, loss_type: 'cross_entropy', negative_weights: file });
      const instance = createInstance(definition, opened.context);
      const [memory] = opened.state.tensors(() => true);
      const entries = [...((await memory.read()) as Float32Array)];
      const loss = await call(opened, instance);
      const t = 0.07;
      const row = (v: number[], own: number) => {
        const score = (entry: number) => (v[0] * entries[2 * entry] + v[1] * entries[2 * entry + 1]) / t;
        return Math.log(Math.exp(score(own)) + 3 * Math.exp(score(3))) - score(own);
      };
      assert.ok(Math.abs(loss - (row([1, 0], 0) + row([0, 1], 1)) / 2) < 1e-3 * (1 + Math.abs(loss)));
      opened.state.dispose();
      await writeNpy(file, { shape: [3], values: Float32Array.of(1, 1, 1) });
      const wrong = await open({ num_negatives: 3, negative_weights: file });
      await assert.rejects(() => call(wrong), /3 weights for 4 images/);
      wrong.state.dispose();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('has the noise of equal weights where all weights are equal', async () => {
    const params = { num_negatives: 2, loss_type: 'nce', norm_constant: 5 };
    const drawn = () => [2, 3, 3, 2];
    const plain = await open(params);
    const weighted = await open(params);
    const a = await call(plain, createNce(plain.context, drawn));
    const b = await call(
      weighted,
      createNce(weighted.context, drawn, async () => new Float32Array(4).fill(0.25)),
    );
    assert.ok(Math.abs(a - b) < 1e-5, `${a} and ${b}`);
    const skewed = await open(params);
    const shares = async () => Float32Array.of(0.1, 0.1, 0.4, 0.4);
    assert.ok(Math.abs(a - (await call(skewed, createNce(skewed.context, drawn, shares)))) > 1e-2);
    for (const { state } of [plain, weighted, skewed]) state.dispose();
  });

  it('says that there is no file', async () => {
    const [problem] = await definition.check!({ params: { negative_weights: '/nowhere.npy' }, name: 'loss' });
    assert.match(problem.message, /there is no file \/nowhere\.npy/);
  });
});
