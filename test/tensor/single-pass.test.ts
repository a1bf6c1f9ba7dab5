import assert from 'node:assert/strict';
import type { ModelSpec } from '../../graph/model/layers.ts';
import { createRandom } from '../../runtime/random.ts';
import { createModel, type Model, type ModelOptions } from '../../runtime/tensor/model.ts';
import type { Tensor, TensorBackend } from '../../runtime/tensor/types.ts';
import { leakFree, onEachBackend, values } from './support.ts';

/** Two outputs; the map of the first differs between sizes, the second does not. */
const spec: ModelSpec = {
  stages: [
    {
      name: 'conv1',
      layer: { op: 'conv2d', in: 3, out: 4, kernel: [3, 3], padding: [1, 1], stride: [1, 1], bias: false },
    },
    { name: 'bn1', layer: { op: 'batch_norm', features: 4 } },
    { name: 'relu', layer: { op: 'relu' } },
    {
      name: 'conv2',
      layer: { op: 'conv2d', in: 4, out: 6, kernel: [3, 3], padding: [1, 1], stride: [2, 2], bias: false },
    },
    { name: 'bn2', layer: { op: 'batch_norm', features: 6 } },
    { name: 'drop', layer: { op: 'dropout', p: 0.3 } },
    { name: 'pool', layer: { op: 'adaptive_avg_pool', size: [1, 1] } },
  ],
  outputs: { map: { stage: 'relu' }, flat: { stage: 'pool', layer: { op: 'flatten' } } },
};

const ROWS = 3;
const CROPS = [2, 4];
const SIZES = [8, 6];

const groupsOf = (backend: TensorBackend): Tensor[] =>
  SIZES.map((size, i) => values(backend, i, [CROPS[i] * ROWS, size, size, 3]));

interface Passed {
  /** both maps, then the flat features */
  readonly outputs: Float32Array[];
  readonly shapes: number[][];
  readonly gradients: Float32Array[];
  readonly buffers: (Float32Array | Int32Array)[];
  readonly kept: number;
}

type Forward = (model: Model, groups: readonly Tensor[]) => { map: Tensor[]; flat: Tensor };

/** A training step: outputs, gradients of a loss on all of them, statistics afterwards. */
async function trained(backend: TensorBackend, forward: Forward, options: ModelOptions = {}): Promise<Passed> {
  let result: Passed;
  await leakFree(backend, () => {
    const { tf } = backend;
    const model = createModel(backend, spec, createRandom(1, 'model'), options);
    const variables = [...model.variables.values()];
    result = backend.scope(() => {
      const groups = groupsOf(backend);
      const before = backend.memory().bytes;
      const tape = backend.openTape();
      const { map, flat } = forward(model, groups);
      const parts = [...map.map((one) => tf.sum(tf.sin(one))), tf.sum(tf.mul(flat, values(backend, 9, flat.shape)))];
      const kept = backend.memory().bytes - before;
      const gradients = tape.backward(
        tf.addN(parts),
        variables.filter(({ trainable }) => trainable).map(({ variable }) => variable),
      );
      return {
        outputs: [...map, flat].map((one) => one.dataSync().slice() as Float32Array),
        shapes: [...map, flat].map((one) => [...one.shape]),
        gradients: gradients.map((g) => g!.dataSync().slice() as Float32Array),
        buffers: variables
          .filter(({ trainable }) => !trainable)
          .map(({ variable }) => variable.dataSync().slice() as Float32Array),
        kept,
      };
    });
    model.dispose();
  });
  return result!;
}

const together: Forward = (model, groups) =>
  model.forward(groups, {
    training: true,
    outputs: ['map', 'flat'],
    random: createRandom(3, 'step'),
    crops: CROPS,
  }) as { map: Tensor[]; flat: Tensor };

/** The same with a call for every crop, put together by hand. */
const composed =
  ({ tf }: TensorBackend): Forward =>
  (model, groups) => {
    const random = createRandom(3, 'step');
    let pass = 0;
    const made = groups.map((group, i) =>
      tf.split(group, CROPS[i], 0).map((crop) => {
        const own = { ...random, fork: () => random.fork(pass++) } as typeof random;
        return model.forward(crop, { training: true, outputs: ['map', 'flat'], random: own }) as {
          map: Tensor;
          flat: Tensor;
        };
      }),
    );
    return {
      map: made.map((one) => tf.concat(one.map(({ map }) => map))),
      flat: tf.concat(made.flat().map(({ flat }) => flat)),
    };
  };

onEachBackend('a pass for every crop', (get) => {
  it('gives the outputs, gradients and statistics of the single passes put together', async () => {
    const [got, want] = [await trained(get(), together), await trained(get(), composed(get()))];
    assert.deepEqual(got.shapes, [
      [2 * ROWS, 8, 8, 4],
      [4 * ROWS, 6, 6, 4],
      [6 * ROWS, 6],
    ]);
    assert.deepEqual(got.outputs, want.outputs);
    assert.ok(got.gradients.every((g) => g.some((value) => value !== 0)));
    got.gradients.forEach((gradient, i) => {
      gradient.forEach((value, j) => {
        // contributions of the passes are added in another order
        const error = Math.abs(value - want.gradients[i][j]);
        assert.ok(error <= 1e-5 * (1 + Math.abs(value)), `gradient ${i}[${j}]: ${value}, not ${want.gradients[i][j]}`);
      });
    });
    assert.deepEqual(got.buffers, want.buffers);
    assert.deepEqual([...got.buffers.at(-1)!], [6], 'each crop is a batch to batch norm');
  });

  it('differs from one pass for each size by the statistics of the batch', async () => {
    const bySize = await trained(
      get(),
      (model, groups) =>
        model.forward(groups, { training: true, outputs: ['map', 'flat'], random: createRandom(3, 'step') }) as {
          map: Tensor[];
          flat: Tensor;
        },
    );
    const byCrop = await trained(get(), together);
    assert.deepEqual([...bySize.buffers.at(-1)!], [2]);
    assert.deepEqual(bySize.shapes, byCrop.shapes);
    assert.notDeepEqual(bySize.outputs, byCrop.outputs);
  });

  it('in evaluation gives what one pass for each size gives', async () => {
    const backend = get();
    await leakFree(backend, () => {
      const model = createModel(backend, spec, createRandom(1, 'model'));
      backend.scope(() => {
        const groups = groupsOf(backend);
        const [whole, parts] = [undefined, CROPS].map(
          (crops) => model.forward(groups, { training: false, outputs: ['flat'], crops }).flat as Tensor,
        );
        const [a, b] = [whole.dataSync(), parts.dataSync()];
        a.forEach((value, i) => {
          assert.ok(Math.abs(value - b[i]) < 1e-5);
        });
      });
      model.dispose();
    });
  });

  it('goes with activation checkpointing: the same numbers bit for bit, and less is kept', async () => {
    const plain = await trained(get(), together);
    const dropped = await trained(get(), together, { recomputedParts: 2 });
    assert.deepEqual(dropped.outputs, plain.outputs);
    assert.deepEqual(dropped.gradients, plain.gradients);
    assert.deepEqual(dropped.buffers, plain.buffers);
    assert.ok(dropped.kept < plain.kept, `${dropped.kept} of ${plain.kept} bytes`);
  });

  it('refuses rows that are no crops of one batch', async () => {
    const backend = get();
    const model = createModel(backend, spec, createRandom(1, 'model'));
    backend.scope(() => {
      const x = values(backend, 0, [5, 6, 6, 3]);
      assert.throws(
        () => model.forward(x, { training: false, outputs: ['flat'], crops: [2] }),
        /5 rows are not 2 crops/,
      );
    });
    model.dispose();
  });
});
