import assert from 'node:assert/strict';
import accuracyList from '../../../nodes/meters/accuracy_list.ts';
import meanAp from '../../../nodes/meters/mean_ap.ts';
import meanApList from '../../../nodes/meters/mean_ap_list.ts';
import precisionAtK from '../../../nodes/meters/precision_at_k_list.ts';
import recallAtK from '../../../nodes/meters/recall_at_k_list.ts';
import { createState, type EngineState, type SavedState } from '../../../runtime/engine/state.ts';
import type { Fold, NodeType, Ranks } from '../../../runtime/node.ts';
import { createRandom } from '../../../runtime/random.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { meetingRanks, nodeContext, tensorValue } from '../../support/node-context.ts';

let backend: TensorBackend;
let tf: TensorBackend['tf'];

before(async () => {
  backend = await openBackend('wasm');
  tf = backend.tf;
});

const FACTS = { phase: 'test', training: false, iteration: 0, epoch: 0 };

interface Options {
  readonly refs?: readonly string[];
  readonly ranks?: Ranks;
  readonly state?: EngineState;
}

function open(definition: unknown, params: Record<string, unknown>, options: Options = {}): Fold {
  const { refs = ['head.scores'], ...others } = options;
  const meter = (definition as { create(context: unknown): Fold }).create(
    nodeContext(backend, definition as NodeType, { params, refs: { outputs: refs }, ...others }),
  );
  return meter;
}

type Rows = readonly (readonly number[])[];

async function add(meter: Fold, outputs: readonly Rows[], label: readonly number[] | Rows, valid?: readonly number[]) {
  await backend.scopeAsync(async () => {
    await meter.add(
      {
        outputs: outputs.map((rows) => tf.tensor2d(rows.map((row) => [...row]))),
        label: tf.tensor(label as never, undefined, 'int32'),
        ...(valid ? { valid: tf.tensor1d([...valid], 'int32') } : {}),
      },
      FACTS,
    );
  });
}

const metricsOf = async (meter: Fold): Promise<any> => (await meter.finish()).metrics;

/** n rows of scores and multi-label targets that differ in every place. */
function rowsOf(n: number, classes: number, seed: number): { scores: number[][]; labels: number[][] } {
  const random = createRandom(seed, 'rows');
  const scores = Array.from({ length: n }, () => Array.from({ length: classes }, () => random.uniform(-2, 2)));
  const labels = scores.map((row) => row.map(() => Math.floor(random.uniform(-1, 2))));
  return { scores, labels };
}

async function saved(state: EngineState): Promise<SavedState> {
  const tensors = new Map();
  for (const { name, shape, read } of state.tensors(() => true)) {
    const values = await read();
    tensors.set(name, { shape, values: values.slice() });
  }
  return { tensors, numbers: state.numbers() };
}

describe('meter/accuracy_list', () => {
  it('gives a plain number for one output, names for several, lists for equal names', async () => {
    const scores = [
      [3, 1, 2],
      [0, 1, 2],
    ];
    const one = open(accuracyList, { topk: [1, 2] });
    one.reset();
    await add(one, [scores], [0, 1]);
    assert.deepEqual(await metricsOf(one), { top_1: 50, top_2: 100 });

    const two = open(accuracyList, {}, { refs: ['res4.scores', 'res5.scores'] });
    two.reset();
    await add(two, [scores, scores.map((row) => row.toReversed())], [0, 1]);
    assert.deepEqual(await metricsOf(two), { top_1: { res4: 50, res5: 0 } });

    const same = open(accuracyList, { names: ['a', 'a'] }, { refs: ['head.x', 'head.y'] });
    same.reset();
    await add(same, [scores, scores], [0, 2]);
    assert.deepEqual(await metricsOf(same), { top_1: { a: [100, 100] } });
  });

  it('does not count rows without a label, nor stand-ins for bad images', async () => {
    const meter = open(accuracyList, {});
    meter.reset();
    const scores = [
      [1, 0],
      [1, 0],
      [1, 0],
      [0, 1],
    ];
    await add(meter, [scores], [0, -1, 1, 0], [1, 1, 0, 1]);
    assert.deepEqual(await metricsOf(meter), { top_1: 50 });
  });

  it('begins anew with a phase, and is 0 of nothing', async () => {
    const meter = open(accuracyList, {});
    meter.reset();
    await add(meter, [[[1, 0]]], [0]);
    meter.reset();
    assert.deepEqual(await metricsOf(meter), { top_1: 0 });
  });

  it('refuses k above the number of classes, at check and at run, and labels beyond the classes', async () => {
    const problems: string[] = [];
    accuracyList.infer!({
      name: 'meter',
      params: { topk: [1, 5], names: ['a', 'b'] },
      inputs: { outputs: [tensorValue(8, 4)] },
      symbols: {},
      problem: ({ message }) => problems.push(message),
    });
    assert.deepEqual(problems, ['there are 2 names for 1 outputs', 'there are no 5 best of 4 classes']);
    const meter = open(accuracyList, { topk: [3] });
    meter.reset();
    await assert.rejects(add(meter, [[[1, 0]]], [0]), /no 3 best of 2 classes/);
    const other = open(accuracyList, {});
    other.reset();
    await assert.rejects(add(other, [[[1, 0]]], [2]), /the label 2 of row 0 is not one of 2 classes/);
  });
});

describe('meters over ranks and resumes', () => {
  const { scores, labels } = rowsOf(24, 5, 3);
  const classes = labels.map((_, i) => i % 5);
  const kinds = [
    { name: 'accuracy_list', definition: accuracyList, params: { topk: [1, 3] }, label: classes },
    {
      name: 'precision_at_k_list',
      definition: precisionAtK,
      params: { topk: [2] },
      label: labels.map((row) => row.map((value) => Math.max(0, value))),
    },
    { name: 'recall_at_k_list', definition: recallAtK, params: { topk: [1, 4] }, label: labels },
    { name: 'mean_ap', definition: meanAp, params: { num_classes: 5 }, label: labels },
    { name: 'mean_ap_list', definition: meanApList, params: { num_classes: 5 }, label: labels },
  ] as const;
  // meter/mean_ap has one output, not a list
  const feed = (name: string, meter: Fold, from: number, to: number, label: readonly any[]) =>
    name === 'mean_ap'
      ? backend.scopeAsync(async () => {
          await meter.add(
            {
              outputs: tf.tensor2d(scores.slice(from, to)),
              label: tf.tensor2d(label.slice(from, to) as number[][], undefined, 'int32'),
            },
            FACTS,
          );
        })
      : add(meter, [scores.slice(from, to)], label.slice(from, to) as never);

  for (const { name, definition, params, label } of kinds) {
    const whole = async () => {
      const meter = open(definition, params);
      meter.reset();
      await feed(name, meter, 0, 24, label);
      return metricsOf(meter);
    };

    it(`${name}: two ranks with unequal shares give the value of one`, async () => {
      const ranks = meetingRanks(backend, 2);
      const each = await Promise.all(
        ranks.map(async (own, rank) => {
          const meter = open(definition, params, { ranks: own });
          meter.reset();
          // one after the other: scopes of one process may not interleave
          return { meter, part: rank === 0 ? ([0, 9] as const) : ([9, 24] as const) };
        }),
      );
      for (const { meter, part } of each) await feed(name, meter, part[0], part[1], label);
      const results = await Promise.all(each.map(({ meter }) => metricsOf(meter)));
      const want = await whole();
      for (const got of results) assert.deepEqual(got, want);
    });

    it(`${name}: a phase that is gone on with gives the value of one that was not stopped`, async () => {
      const before = createState(backend);
      const first = open(definition, params, { state: before });
      first.reset();
      await feed(name, first, 0, 7, label);
      await feed(name, first, 7, 10, label);
      const kept = await saved(before);
      const after = createState(backend, kept);
      const second = open(definition, params, { state: after });
      second.reset();
      after.restore('node');
      await feed(name, second, 10, 24, label);
      assert.deepEqual(await metricsOf(second), await whole());
    });

    it(`${name}: keeps no tensor`, async () => {
      await whole();
      const tensors = tf.memory().numTensors;
      await backend.scopeAsync(whole);
      assert.equal(tf.memory().numTensors, tensors);
    });
  }
});

describe('meter/mean_ap', () => {
  it('gives -1 for a class without positives and NaN when no class has one', async () => {
    const meter = open(meanAp, { num_classes: 2 });
    meter.reset();
    await backend.scopeAsync(async () => {
      const outputs = tf.tensor2d([
        [0.2, 0.7],
        [0.1, 0.4],
      ]);
      await meter.add(
        {
          outputs,
          label: tf.tensor2d(
            [
              [0, 0],
              [-1, 0],
            ],
            undefined,
            'int32',
          ),
        },
        FACTS,
      );
    });
    const { mAP, AP } = await metricsOf(meter);
    assert.deepEqual([mAP, AP], [Number.NaN, [-1, -1]]);
  });

  it('refuses targets that are none of 1, 0, -1', async () => {
    const meter = open(meanAp, { num_classes: 1 });
    meter.reset();
    const outputs = tf.tensor2d([[1]]);
    const label = tf.tensor2d([[2]], undefined, 'int32');
    await assert.rejects(async () => meter.add({ outputs, label }, FACTS), /targets are 1, 0 or -1/);
    outputs.dispose();
    label.dispose();
  });
});
