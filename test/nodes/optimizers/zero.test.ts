import assert from 'node:assert/strict';
import { draw } from '../../../graph/draw/draw.ts';
import { createRegistry } from '../../../graph/registry.ts';
import { sharesOf } from '../../../nodes/optimizers/shares.ts';
import zero from '../../../nodes/optimizers/zero.ts';
import { type InlineOptimizers, loadOptimizers } from '../../../runtime/engine/optimizers.ts';
import type { RunningGraph } from '../../../runtime/engine/running.ts';
import { loadSchedules, type Schedules } from '../../../runtime/engine/schedules.ts';
import { gatherShards, shareUpdates } from '../../../runtime/engine/sharded.ts';
import { createState, type SavedState, type SavedTensor } from '../../../runtime/engine/state.ts';
import type { NodeType, OptimizedParameter, Ranks } from '../../../runtime/node.ts';
import { checkPipeline, openPipeline } from '../../../runtime/pipeline/open.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { meetingRanks, optimizerContext } from '../../support/node-context.ts';
import { formula } from '../../tensor/support.ts';

const node = zero as unknown as Extract<NodeType, { role: 'optimizer' }>;

/** Name, layer, shape; the head and a bias have rules of their own. */
const PARAMETERS: [string, OptimizedParameter['layer'], number[]][] = [
  ['trunk.conv.weight', 'conv2d', [3, 3, 2, 4]],
  ['trunk.bn.weight', 'batch_norm', [4]],
  ['trunk.bn.bias', 'batch_norm', [4]],
  ['trunk.fc.weight', 'linear', [4, 10]],
  ['head.weight', 'linear', [10, 7]],
  ['head.bias', 'linear', [7]],
];

const BASES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'SGD with LARC': { optimizer: 'sgd', lr: 0.3, weight_decay: 0.01, larc: { trust_coefficient: 0.02 } },
  'AdamW with a head of its own': {
    optimizer: 'adamw',
    lr: { schedule: 'cosine', start: 0.1 },
    weight_decay: { schedule: 'cosine', start: 0.04, end: 0.4 },
    regularize_bias: false,
    head: { lr: 0.05 },
  },
  'Adam, one parameter frozen': { optimizer: 'adam', lr: 0.1, frozen: ['trunk.fc.weight'] },
};

interface Rank {
  readonly values: Float32Array[];
  /** of the optimizer, in memory */
  readonly bytes: number;
  readonly gathered: SavedState;
}

describe('optimizer/zero', () => {
  let backend: TensorBackend;
  let inlineOptimizers: InlineOptimizers;
  let schedules: Schedules;
  before(async () => {
    backend = await openBackend('wasm');
    const registry = await createRegistry();
    inlineOptimizers = await loadOptimizers(Object.values(BASES), registry);
    schedules = await loadSchedules(Object.values(BASES), registry, 1);
  });

  /** Steps of one rank, from a state if there is one; the same gradients on every rank. */
  async function train(ranks: Ranks, base: object, steps: readonly number[], saved?: SavedState, from?: Rank) {
    const { tf } = backend;
    const state = createState(backend, saved);
    const parameters = PARAMETERS.map(([name, layer, shape], i): OptimizedParameter => {
      const values = from
        ? from.values[i]
        : formula(
            i,
            shape.reduce((a, b) => a * b),
          );
      const kind = name.endsWith('bias') ? 'bias' : 'weight';
      const variable = backend.scope(() => tf.variable(tf.tensor(values, shape)));
      return { name, node: name.split('.')[0], layer, kind, head: name.startsWith('head'), variable };
    });
    const options = { name: 'zero', params: { base_optimizer: base }, ranks, state, schedules, inlineOptimizers };
    const optimizer = node.create(optimizerContext(backend, node, parameters, options));
    const host = { backend, ranks };
    for (const step of steps) {
      const gradients = backend.scope(() =>
        parameters.map(({ variable }, i) =>
          // one gradient is missing in one step
          step === 1 && i === 1 ? null : tf.tensor(formula(10 * step + i, variable.size), variable.shape),
        ),
      );
      backend.scope(() => optimizer.step(gradients, step / 8));
      await shareUpdates(host, { optimizer, parameters });
      for (const gradient of gradients) gradient?.dispose();
    }
    const running = { optimizers: new Map([['zero', { optimizer, parameters }]]) } as unknown as RunningGraph;
    const others = await gatherShards(host, running, state);
    const tensors = new Map<string, SavedTensor>();
    for (const { name, shape, read } of [...state.tensors(() => true), ...others.tensors]) {
      tensors.set(name, { shape, values: ((await read()) as Float32Array).slice() });
    }
    const own = state.tensors(() => true).reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
    const values = await Promise.all(
      parameters.map(async ({ variable }) => ((await variable.data()) as Float32Array).slice()),
    );
    const result: Rank = {
      values,
      bytes: own,
      gathered: { tensors, numbers: { ...state.numbers(), ...others.numbers } },
    };
    for (const { variable } of parameters) variable.dispose();
    state.dispose();
    return result;
  }

  const together = (size: number, ...rest: [object, readonly number[], SavedState?, Rank?]) =>
    Promise.all(meetingRanks(backend, size).map((ranks) => train(ranks, ...rest)));

  const sorted = (tensors: SavedState['tensors']) => [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));

  for (const [name, base] of Object.entries(BASES)) {
    it(`${name}: on 2, 3 and 8 ranks the weights and the whole state are those of one, bit for bit`, async () => {
      const [one] = await together(1, base, [0, 1, 2, 3]);
      assert.ok(one.bytes > 0);
      for (const size of [2, 3, 8]) {
        const all = await together(size, base, [0, 1, 2, 3]);
        for (const { values } of all) assert.deepEqual(values, one.values);
        const [{ gathered }] = all;
        assert.deepEqual(sorted(gathered.tensors), sorted(one.gathered.tensors));
        assert.deepEqual(gathered.numbers, one.gathered.numbers);
        assert.equal(
          all.reduce((sum, { bytes }) => sum + bytes, 0),
          one.bytes,
        );
        if (size === 2) for (const { bytes } of all) assert.ok(Math.abs(bytes / one.bytes - 0.5) < 0.1, `${bytes}`);
      }
    });
  }

  it('the state that 2 ranks have gathered goes on with 1, 2 and 3', async () => {
    const base = BASES['AdamW with a head of its own'];
    const [whole] = await together(1, base, [0, 1, 2, 3, 4]);
    const [before] = await together(2, base, [0, 1, 2]);
    for (const size of [1, 2, 3]) {
      for (const { values } of await together(size, base, [3, 4], before.gathered, before)) {
        assert.deepEqual(values, whole.values);
      }
    }
  });

  it('leaves no tensors behind', async () => {
    const before = backend.memory();
    await together(2, BASES['SGD with LARC'], [0, 1]);
    assert.deepEqual(backend.memory(), before);
  });

  it('shares are about equally large', () => {
    assert.deepEqual(sharesOf([5, 1, 7, 3, 3], 2), [
      [2, 4],
      [0, 1, 3],
    ]);
    assert.deepEqual(sharesOf([4, 4], 3), [[0], [1], []]);
    assert.deepEqual(sharesOf([2, 3], 1), [[0, 1]]);
  });

  it('mistakes in the base optimizer are found by the checks, with their place', async () => {
    const checked = async (optimizer: string) => {
      const changes = ['nodes.sgd=null', `nodes.sgd=${optimizer}`];
      return checkPipeline(await openPipeline({ extends: 'quick/simclr' }, changes, {}));
    };
    const written = (base: string) =>
      `{"type": "optimizer/zero", "inputs": {"loss": "loss.loss"}, "base_optimizer": ${base}}`;
    await assert.rejects(
      checked(written('{"optimizer": "zero", "base_optimizer": {"optimizer": "sgd", "lr": 0.1}}')),
      /sgd\.base_optimizer: is zero itself/,
    );
    await assert.rejects(
      checked(written('{"optimizer": "sgd", "lr": 0.1, "momentun": 0.9}')),
      /optimizer\/sgd has no param "momentun".*"momentum"/s,
    );
    await assert.rejects(checked(written('{"optimizer": "sgdd", "lr": 0.1}')), /"sgdd" is no optimizer/);
    const graph = await checked(written('{"optimizer": "sgd", "lr": 0.1, "larc": {}}'));
    assert.match(await draw(graph, { format: 'mermaid' }), /base_optimizer sgd/);
  });

  it('a frozen name that no parameter has is an error on every rank', async () => {
    await assert.rejects(
      together(2, { ...BASES['Adam, one parameter frozen'], frozen: ['trunk.fc.wieght'] }, []),
      /Did you mean "trunk.fc.weight"\?/,
    );
  });
});
