import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors } from '../../runtime/train/safetensors.ts';
import { classifier, runDocument, withFolder } from '../engine/fixtures/graph.ts';
import { launch } from './fixtures/launch.ts';

const ADAM = { optimizer: 'adam', lr: 0.01, weight_decay: 0.01 };
const LARC = { optimizer: 'sgd', lr: 0.1, weight_decay: 0.01, larc: {} };

type Base = Readonly<Record<string, unknown>> & { readonly optimizer: string };

/** The optimizer node is called the same in both, so that checkpoints may be compared. */
const zero = (base: Base) => ({ type: 'optimizer/zero', inputs: { loss: 'loss.loss' }, base_optimizer: base });
const plain = ({ optimizer, ...params }: Base) => ({
  type: `optimizer/${optimizer}`,
  inputs: { loss: 'loss.loss' },
  ...params,
});

const training = (optimizer: object, epochs: number, trunk: object = {}): object =>
  classifier({
    nodes: {
      images: { type: 'dataset/shapes', length: 16, size: 12 },
      trunk: { type: 'test/trunk', inputs: { images: 'batch.images' }, ...trunk },
      sgd: optimizer,
    },
    batch: { batch_size: 4 },
    run: { epochs },
  });

interface End {
  /** of each rank, at each step */
  readonly bytes: readonly number[][];
  readonly model: Buffer;
  readonly optimizer: ReadonlyMap<string, Float32Array>;
  readonly numbers: Readonly<Record<string, number>>;
}

async function train(out: string, ranks: number, document: object): Promise<End> {
  const ends = await launch('./train.ts', ranks, [out, JSON.stringify(document), 'cpu', '60']);
  for (const { code, stderr } of ends) assert.equal(code, 0, stderr);
  const bytes = ends.map(({ stdout }) => [...stdout.matchAll(/^bytes (\d+)$/gm)].map(([, n]) => Number(n)));
  const folder = join(out, 'checkpoints');
  const names = (await readdir(folder)).filter((name) => name.endsWith('-final')).sort();
  const path = join(folder, names.at(-1)!);
  const file = await openSafetensors(join(path, 'optimizer.safetensors'));
  const optimizer = new Map<string, Float32Array>();
  for (const name of [...file.tensors.keys()].sort()) optimizer.set(name, await file.readFloats(name));
  await file.close();
  const { numbers } = JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8')) as Pick<End, 'numbers'>;
  return { bytes, model: await readFile(join(path, 'model.safetensors')), optimizer, numbers };
}

const valuesOf = (tensors: Iterable<Float32Array>): number => [...tensors].reduce((sum, { length }) => sum + length, 0);

describe('optimizer/zero on processes of their own', function () {
  this.timeout(300_000); // two processes at a time, on a machine that others use

  // what activation checkpointing drops is computed again: the weights stay the same
  for (const [name, base, trunk] of [
    ['Adam', ADAM, {}],
    ['SGD with LARC, activations dropped', LARC, { activation_checkpointing: 2 }],
  ] as const) {
    it(`${name}: weights and checkpoint are the base optimizer's bit for bit, with half of its state on each rank`, () =>
      withFolder(async (folder) => {
        const usual = await train(join(folder, 'base'), 2, training(plain(base), 2));
        const spread = await train(join(folder, 'zero'), 2, training(zero(base), 2, trunk));
        assert.deepEqual(spread.model, usual.model);
        assert.deepEqual(spread.optimizer, usual.optimizer);
        assert.deepEqual(spread.numbers, usual.numbers);

        const state = 4 * valuesOf(usual.optimizer.values());
        assert.ok(state > 0);
        assert.equal(usual.bytes[0].length, 4);
        const saved = spread.bytes.map((steps, rank) => usual.bytes[rank].at(-1)! - steps.at(-1)!);
        assert.equal(saved[0] + saved[1], state, 'together the ranks keep it once');
        for (const bytes of saved) assert.ok(bytes > 0.3 * state && bytes < 0.7 * state, `${bytes} of ${state} bytes`);
      }));
  }

  it('goes on from a checkpoint of two ranks as if it had not stopped', () =>
    withFolder(async (folder) => {
      const whole = await train(join(folder, 'whole'), 2, training(zero(ADAM), 2));
      const out = join(folder, 'parts');
      const first = await train(out, 2, training(zero(ADAM), 1));
      assert.notDeepEqual(first.model, whole.model);
      const second = await train(out, 2, training(zero(ADAM), 2));
      assert.deepEqual(second.model, whole.model);
      assert.deepEqual(second.optimizer, whole.optimizer);
      assert.deepEqual(second.numbers, whole.numbers);
      assert.deepEqual(
        second.bytes.map((steps) => steps.at(-1)),
        whole.bytes.map((steps) => steps.at(-1)),
        'each rank keeps its own share again',
      );
    }));

  it('on one rank is the base optimizer, and goes on from its checkpoint', () =>
    withFolder(async (folder) => {
      const run = async (out: string, document: object) => {
        const { checkpoint } = await runDocument(document, join(folder, out));
        return Promise.all(
          ['model.safetensors', 'optimizer.safetensors'].map((file) => readFile(join(checkpoint!, file))),
        );
      };
      const whole = await run('base', training(plain(ADAM), 2));
      await run('parts', training(zero(ADAM), 1));
      assert.deepEqual(await run('parts', training(zero(ADAM), 2)), whole);
    }));
});
