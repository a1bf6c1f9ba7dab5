/** Labels that are probabilities, as collator/cutmixup makes them: from the check to trained steps. */
import assert from 'node:assert/strict';
import { isLeft } from 'fp-ts/lib/Either.js';
import { checkDocument } from '../../../graph/check/check.ts';
import { resolveObject } from '../../../graph/document/resolve.ts';
import { createRegistry } from '../../../graph/registry.ts';
import bce from '../../../nodes/losses/bce_logits_multiple_output_single_target.ts';
import crossEntropy from '../../../nodes/losses/cross_entropy_multiple_output_single_target.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { runDocument, withFolder } from '../../engine/fixtures/graph.ts';
import { near } from '../../tensor/support.ts';
import { lossOf, refuses } from './recorded.ts';

const CLASSES = 8;

const wires = { outputs: 'head.output', target: 'batch.label' };
const batch = (type: string, params: object = {}) => ({ type, from: 'views', batch_size: 8, ...params });
const loss = (type: string, params: object = {}) => ({ type, inputs: wires, ...params });

/** quick/supervised with mixed images, small. A node of another type takes nothing over from the document's. */
const mixed = (nodes: Record<string, object> = {}) => ({
  extends: 'quick/supervised',
  knobs: { train_images: 32, size: 16, batch_size: 8, epochs: 2, classes: CLASSES },
  nodes: { batch: batch('collator/cutmixup', { num_classes: CLASSES, cutmix_alpha: 1 }), ...nodes },
  run: { evaluate: [], workers: 0, seed: 1 },
  hooks: [],
});

async function problemsOf(document: object): Promise<string[]> {
  const resolved = await resolveObject(document);
  assert.ok(!isLeft(resolved), JSON.stringify(resolved));
  const checked = await checkDocument(resolved.right, await createRegistry());
  return isLeft(checked) ? checked.left.map(({ where, message }) => `${where}: ${message}`) : [];
}

describe('mixed labels', () => {
  const train = async (document: object) => {
    assert.deepEqual(await problemsOf(document), []);
    return withFolder(async (out) => {
      const losses: number[] = [];
      const backend = await openBackend('wasm');
      const { status, iteration } = await runDocument(document, out, {
        backend,
        onEvent: (event) => {
          if (event.type === 'step') losses.push(event.loss!);
        },
      });
      assert.deepEqual([status, iteration, losses.length], ['done', 8, 8]);
      assert.ok(losses.every(Number.isFinite), `${losses}`);
      return losses;
    });
  };

  it('train with cross entropy, and with binary cross entropies of a number per class', async () => {
    const unlearned = {
      CrossEntropyLoss: Math.log(CLASSES),
      bce_logits_multiple_output_single_target: CLASSES * Math.log(2),
      BCEWithLogitsLoss: Math.log(2),
    };
    for (const [type, expected] of Object.entries(unlearned)) {
      const [first] = await train(mixed({ loss: loss(type) }));
      assert.ok(Math.abs(first / expected - 1) < 0.3, `${type} begins at ${first}, not near ${expected}`);
    }
  }).timeout(180_000);

  it('are held against the outputs before the run', async () => {
    assert.deepEqual(await problemsOf(mixed({ head: { dims: [64, 5] } })), [
      'loss.target: the target is 8×8, and an output 8×5: there is to be one probability per logit',
    ]);
    const plain = batch('collator/default');
    assert.deepEqual(await problemsOf(mixed({ batch: plain })), []);
    const perClass = loss('loss/bce_with_logits');
    assert.match((await problemsOf(mixed({ batch: plain, loss: perClass }))).join(), /^loss\.target: .*N×C is wanted/);
    assert.deepEqual(await problemsOf(mixed({ loss: loss('loss/nll') })), [
      'loss.target: batch.label gives float32 values, and int32 is wanted',
    ]);
    assert.deepEqual(await problemsOf(mixed({ loss: loss('loss/bce_with_logits', { pos_weight: [1, 2] }) })), [
      'loss.pos_weight: pos_weight has 2 numbers for 8 classes',
    ]);
  }).timeout(60_000);
});

describe('class targets', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('wasm');
  });

  it('are indices or probabilities, and the same where they say the same', async () => {
    const { tf } = backend;
    const logits = tf.tensor2d([1, 2, 3, 0, -1, 4], [2, 3]);
    const hard = await lossOf(backend, crossEntropy, {}, logits, tf.tensor1d([2, 0], 'int32'));
    const rows = [0, 0, 1, 1, 0, 0];
    for (const soft of [tf.tensor2d(rows, [2, 3]), tf.tensor2d(rows, [2, 3], 'int32')]) {
      const { loss, gradient } = await lossOf(backend, crossEntropy, {}, logits, soft);
      near([loss], [hard.loss], 1e-6, 'loss');
      near(gradient, hard.gradient, 1e-6, 'gradient');
    }
  });

  it('may be shares of several labels', async () => {
    const { tf } = backend;
    const logits = tf.tensor2d([0, 1, 2, 0], [2, 2]);
    const { loss, gradient } = await lossOf(backend, bce, {}, logits, tf.tensor2d([0.25, 1, 0.5, -1], [2, 2]));
    const softplus = (x: number) => Math.log1p(Math.exp(x));
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    near([loss], [(softplus(0) + softplus(2) - 1) / 2 + softplus(1) - 1], 1e-6, 'loss');
    near(gradient, [0.125, sigmoid(1) - 1, (sigmoid(2) - 0.5) / 2, 0], 1e-6, 'gradient');
  });

  it('of float32 are not taken for indices, and an ignored index may lie beyond the classes', async () => {
    const { tf } = backend;
    await refuses(backend, crossEntropy, { target: tf.tensor1d([0, 1]) }, /\[2\]: class indices are int32/);
    const target = tf.tensor1d([1, 255], 'int32');
    const { loss } = await lossOf(backend, crossEntropy, { ignore_index: 255 }, tf.zeros([2, 4]), target);
    near([loss], [Math.log(4)], 1e-6, 'loss');
  });
});
