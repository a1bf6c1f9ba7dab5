import assert from 'node:assert/strict';
import { createRegistry } from '../../../graph/registry.ts';
import adagrad from '../../../nodes/optimizers/adagrad.ts';
import adam from '../../../nodes/optimizers/adam.ts';
import adamw from '../../../nodes/optimizers/adamw.ts';
import rmsprop from '../../../nodes/optimizers/rmsprop.ts';
import sgd from '../../../nodes/optimizers/sgd.ts';
import { loadSchedules, type Schedules } from '../../../runtime/engine/schedules.ts';
import { createState } from '../../../runtime/engine/state.ts';
import type { NodeType, OptimizedParameter } from '../../../runtime/node.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { optimizerContext } from '../../support/node-context.ts';

type OptimizerNode = Extract<NodeType, { role: 'optimizer' }>;

const START = [0.5, -1, 2];
const GRADIENTS = [
  [0.1, -0.2, 0.3],
  [-0.4, 0.1, 0],
  [0.2, 0.2, -0.1],
];

/** One parameter's values through the steps, in double precision. */
type Reference = (p: number, gradients: readonly number[]) => number;

describe('optimizers', () => {
  let backend: TensorBackend;
  let schedules: Schedules;
  before(async () => {
    backend = await openBackend('wasm');
    schedules = await loadSchedules([{ schedule: 'cosine' }], await createRegistry(), 1);
  });

  function open(definition: unknown, params: Readonly<Record<string, unknown>>, names = ['model.weight']) {
    const state = createState(backend);
    const parameters = names.map(
      (name): OptimizedParameter => ({
        name,
        node: name.split('.')[0],
        layer: 'linear',
        kind: name.endsWith('bias') ? 'bias' : 'weight',
        head: name.startsWith('head'),
        variable: backend.tf.variable(backend.tf.tensor1d(START)),
      }),
    );
    const node = definition as OptimizerNode;
    const optimizer = node.create(optimizerContext(backend, node, parameters, { params, state, schedules }));
    return { optimizer, parameters, state };
  }

  async function matches(definition: unknown, params: Readonly<Record<string, unknown>>, reference: Reference) {
    const { optimizer, parameters } = open(definition, params);
    for (const gradient of GRADIENTS) {
      backend.scope(() => optimizer.step([backend.tf.tensor1d(gradient)], 0));
    }
    const got = await parameters[0].variable.data();
    START.forEach((start, i) => {
      const want = reference(
        start,
        GRADIENTS.map((gradient) => gradient[i]),
      );
      assert.ok(Math.abs(got[i] - want) < 1e-5, `value ${i} is ${got[i]}, not ${want}`);
    });
  }

  const adamReference =
    (lr: number, decay: number, decoupled: boolean, amsgrad: boolean): Reference =>
    (p, gradients) => {
      let [m, v, top] = [0, 0, 0];
      gradients.forEach((gradient, i) => {
        const g = decoupled ? gradient : gradient + decay * p;
        if (decoupled) p -= lr * decay * p;
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        top = amsgrad ? Math.max(top, v) : v;
        const [mean, size] = [m / (1 - 0.9 ** (i + 1)), Math.sqrt(top / (1 - 0.999 ** (i + 1)))];
        p -= (lr * mean) / (size + 1e-8);
      });
      return p;
    };

  it('Adam', () => matches(adam, { lr: 0.1 }, adamReference(0.1, 0, false, false)));
  it('Adam with weight decay in the gradient, and the largest mean square', () =>
    matches(adam, { lr: 0.1, weight_decay: 0.1, amsgrad: true }, adamReference(0.1, 0.1, false, true)));
  it('AdamW', () => matches(adamw, { lr: 0.1, weight_decay: 0.1 }, adamReference(0.1, 0.1, true, false)));

  it('RMSprop, centred, with momentum', () =>
    matches(rmsprop, { lr: 0.01, alpha: 0.9, momentum: 0.5, centered: true, eps: 1e-3 }, (p, gradients) => {
      let [s, m, velocity] = [0, 0, 0];
      for (const g of gradients) {
        s = 0.9 * s + 0.1 * g * g;
        m = 0.9 * m + 0.1 * g;
        velocity = 0.5 * velocity + g / (Math.sqrt(s - m * m) + 1e-3);
        p -= 0.01 * velocity;
      }
      return p;
    }));

  it("RMSprop in TensorFlow's form", () =>
    matches(rmsprop, { lr: 0.01, alpha: 0.9, eps: 0.1, eps_inside_sqrt: true }, (p, gradients) => {
      let s = 1;
      for (const g of gradients) {
        s = 0.9 * s + 0.1 * g * g;
        p -= (0.01 * g) / Math.sqrt(s + 0.1);
      }
      return p;
    }));

  it('Adagrad', () =>
    matches(adagrad, { lr: 0.1, lr_decay: 0.5, initial_accumulator_value: 0.1 }, (p, gradients) => {
      let sum = 0.1;
      gradients.forEach((g, i) => {
        sum += g * g;
        p -= ((0.1 / (1 + 0.5 * i)) * g) / (Math.sqrt(sum) + 1e-10);
      });
      return p;
    }));

  for (const [name, definition] of Object.entries({ sgd, adam })) {
    it(`${name}: a parameter without gradient keeps value and state; a frozen one too`, async () => {
      const names = ['trunk.a', 'trunk.b', 'head.c'];
      const { optimizer, parameters, state } = open(definition, { lr: 0.1, frozen: ['trunk.b'] }, names);
      const gradient = () => backend.tf.ones([3]);
      backend.scope(() => optimizer.step([null, gradient(), gradient()], 0.5));
      const [a, b, c] = await Promise.all(parameters.map(({ variable }) => variable.data()));
      assert.deepEqual([...a], START);
      assert.deepEqual([...b], START);
      assert.ok(c[0] < START[0]);
      const kept = state.tensors(() => true).map((source) => source.name);
      assert.ok(!kept.some((full) => full.includes('trunk.b')), 'a frozen parameter has no state');
    });
  }

  it('the head has a rate and a weight decay of its own', () => {
    const { optimizer } = open(sgd, { lr: 0.1, head: { lr: 0.5 } }, ['trunk.a', 'head.c']);
    assert.deepEqual(optimizer.lr(0), [0.1, 0.5]);
    assert.deepEqual(open(sgd, { lr: 0.1, head: {} }).optimizer.lr(0), [0.1]);
  });

  // PyTorch 2.13 in double precision, its weight_decay set before each step as DINO's training does, at 0, 1/4, 1/2, 3/4
  const SCHEDULED = {
    sgd: [
      [0.4479509148780314, -0.8756094870665676, 1.6756290317076004],
      [0.50601, -0.98632, 1.89583],
      [0.47203691969116685, -0.9191452328440678, 1.7613195898109226],
    ],
    adamw: [
      [0.4113946506055466, -0.841988782475898, 1.6272874498616692],
      [0.4426658609984558, -0.9034317832408396, 1.7529781583676867],
      [0.4313881096653231, -0.8802693946676146, 1.7053705499364598],
    ],
  };
  for (const [name, definition] of Object.entries({ sgd, adamw })) {
    it(`${name}: weight decay follows a schedule; biases stay without, the head has its own`, async () => {
      const params = {
        lr: 0.1,
        weight_decay: { schedule: 'cosine', start: 0.04, end: 0.4 },
        regularize_bias: false,
        head: { weight_decay: { schedule: 'cosine', start: 0.1, end: 0 } },
      };
      const { optimizer, parameters } = open(definition, params, ['trunk.weight', 'trunk.bias', 'head.weight']);
      for (const [i, gradient] of [...GRADIENTS, [0.3, -0.1, 0.2]].entries()) {
        backend.scope(() =>
          optimizer.step(
            [0, 1, 2].map(() => backend.tf.tensor1d(gradient)),
            i / 4,
          ),
        );
      }
      for (const [i, wanted] of SCHEDULED[name as 'sgd' | 'adamw'].entries()) {
        const got = await parameters[i].variable.data();
        wanted.forEach((want, j) => {
          assert.ok(Math.abs(got[j] - want) < 1e-6, `${parameters[i].name}[${j}] is ${got[j]}, not ${want}`);
        });
      }
      const [trunk, head] = optimizer.weightDecay!(0.25);
      assert.ok(Math.abs(trunk - 0.09272077938642143) < 1e-12);
      assert.ok(Math.abs(head - 0.08535533905932738) < 1e-12);
      assert.deepEqual(open(definition, { lr: 0.1, weight_decay: 0.5 }).optimizer.weightDecay!(0.5), []);
    });
  }

  it('a weight decay below 0 is refused: a number by the schema, a schedule at the step that meets it', () => {
    assert.throws(() => open(sgd, { lr: 0.1, weight_decay: -0.1 }), /must be >= 0/);
    const { optimizer } = open(sgd, { lr: 0.1, weight_decay: { schedule: 'cosine', start: 0.1, end: -0.1 } });
    const step = (where: number) => backend.scope(() => optimizer.step([backend.tf.ones([3])], where));
    step(0.25);
    assert.throws(() => step(0.75), /weight_decay is -0\.07\d* at 0\.75 of the run/);
  });

  it('a step outside the run, an unknown frozen name, Nesterov without momentum are errors', () => {
    const { optimizer } = open(sgd, { lr: 0.1 });
    assert.throws(() => optimizer.step([null], 1), /steps at where in \[0, 1\), not at 1/);
    assert.throws(() => open(sgd, { lr: 0.1, frozen: ['model.wieght'] }), /Did you mean "model.weight"\?/);
    assert.throws(() => open(sgd, { lr: 0.1, nesterov: true, momentum: 0 }), /nesterov needs momentum/);
  });

  it('steps leave no tensors behind', () => {
    for (const definition of [sgd, adam, rmsprop]) {
      const { optimizer } = open(definition, { lr: 0.1 });
      const once = () => backend.scope(() => optimizer.step([backend.tf.ones([3])], 0));
      once();
      const before = backend.memory().tensors;
      once();
      once();
      assert.equal(backend.memory().tensors, before);
    }
  });
});
