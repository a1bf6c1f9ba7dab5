import assert from 'node:assert/strict';
import { createPlan } from '../../runtime/engine/plan.ts';
import { describePlan } from '../../runtime/engine/plan-text.ts';
import { classifier, openGraph } from './fixtures/graph.ts';

const planOf = async (document: object) => createPlan((await openGraph(document)).graph);

const teacher = {
  key_trunk: { type: 'test/trunk', inputs: { images: 'batch.images' }, frozen: true },
  key_head: { type: 'test/head', inputs: { features: 'key_trunk.features' }, frozen: true, classes: 10 },
  target: { type: 'test/centered_target', inputs: { scores: 'key_head.scores' } },
  loss: { type: 'test/cross_entropy', inputs: { scores: 'head.scores', target: 'target.target' } },
};

describe('plan', () => {
  it('is a sample program, a batch program and the order of phases', async () => {
    const text = describePlan(await planOf(classifier()));
    assert.equal(
      text,
      `samples
  images → tensors → batch

training phase train, per batch
  copy batch.images, batch.label [copy]
  trunk (forward, gradient) [main], waits for batch
  noise (forward, gradient) [main]
  head (forward, gradient) [main]
  event forward
  loss (loss, gradient) [main], waits for batch
  event loss_and_meter
  backward from loss.loss
  sgd: update of trunk, head

order
  2 × (train)

trained
  trunk, head
`,
    );
  });

  it('runs a frozen teacher after the event forward, on a stream of its own, and frees it before backward', async () => {
    const plan = await planOf(classifier({ nodes: teacher }));
    const lines = describePlan(plan).split('\n');
    const from = lines.indexOf('training phase train, per batch');
    assert.deepEqual(
      lines.slice(from + 1, from + 13).map((line) => line.trim()),
      [
        'copy batch.images [copy]',
        'trunk (forward, gradient) [main], waits for batch',
        'noise (forward, gradient) [main]',
        'head (forward, gradient) [main]',
        'event forward',
        'key_trunk (target) [branch-1], waits for batch, event forward',
        'key_head (target) [branch-1]',
        'target (target) [branch-1]',
        'loss (loss, gradient) [main], waits for target',
        'event loss_and_meter, waits for target, frees key_trunk.features, key_head.scores',
        'backward from loss.loss',
        'sgd: update of trunk, head',
      ],
    );
    assert.deepEqual([...plan.trained], ['trunk', 'head']);
  });

  it('gives a node the stream that the document names', async () => {
    const plan = await planOf(
      classifier({ nodes: { ...teacher, key_trunk: { ...teacher.key_trunk, stream: 'teacher' } } }),
    );
    const streams = plan.phases[0].steps.flatMap((step) =>
      step.kind === 'node' ? [[step.node.name, step.stream]] : [],
    );
    assert.deepEqual(Object.fromEntries(streams), {
      trunk: 'main',
      noise: 'main',
      head: 'main',
      key_trunk: 'teacher',
      key_head: 'teacher',
      target: 'teacher',
      loss: 'main',
    });
  });

  it('keeps what a hook names until the step ends, and computes it if nobody else asks', async () => {
    const plan = await planOf(
      classifier({
        nodes: { extra: { type: 'test/pass', inputs: { x: 'trunk.features' } } },
        hooks: [{ type: 'hook/test_reads', ref: 'extra.x' }],
      }),
    );
    const [{ steps, kept }] = plan.phases;
    assert.deepEqual([...kept], ['extra.x']);
    assert.ok(steps.some((step) => step.kind === 'node' && step.node.name === 'extra'));
    assert.ok(!steps.some((step) => step.frees.includes('extra.x')));
  });

  it('leaves out nodes that only a bank reads, and passes over the phase for it at the end', async () => {
    const plan = await planOf(
      classifier({
        nodes: {
          eval_batch: { type: 'collator/default', from: 'tensors', batch_size: 8, phase: 'extract' },
          trunk: { type: 'test/trunk', inputs: { images: { train: 'batch.images', extract: 'eval_batch.images' } } },
          noise: { type: 'test/noise', inputs: { x: { train: 'trunk.features' } } },
          bank: { type: 'test/bank', inputs: { features: { extract: 'trunk.features' }, index: 'eval_batch.index' } },
          mean: { type: 'test/mean', inputs: { bank: 'bank.bank' } },
        },
      }),
    );
    assert.deepEqual(
      plan.phases.map(({ phase }) => phase),
      ['train'],
    );
    assert.deepEqual(plan.once.before, []);
    const text = describePlan(plan);
    assert.match(text, /evaluation \(end\)\n {2}pass over extract for bank\n/);
    assert.match(text, / {4}trunk \(forward\) \[main\], waits for eval_batch, frees eval_batch\.images\n/);
    assert.match(text, / {4}bank \(meter\) .*frees .*trunk\.features/);
    assert.match(text, /\n {2}mean\n/);
  });

  it('makes once-values that training reads first, and keeps them', async () => {
    const plan = await planOf(
      classifier({
        nodes: {
          eval_batch: { type: 'collator/default', from: 'tensors', batch_size: 8, phase: 'extract' },
          fixed: { type: 'test/trunk', inputs: { images: 'eval_batch.images' }, frozen: true },
          bank: { type: 'test/bank', inputs: { features: 'fixed.features', index: 'eval_batch.index' } },
          means: { type: 'test/threshold', inputs: { bank: 'bank.bank' } },
          noise: { type: 'test/subtract', inputs: { x: 'trunk.features', means: 'means.means' } },
        },
      }),
    );
    assert.deepEqual(
      plan.once.before.map((step) => (step.kind === 'pass' ? `pass ${step.phase}` : step.node.name)),
      ['pass extract', 'means'],
    );
    assert.deepEqual(plan.once.evaluate, []);
    assert.deepEqual(plan.once.artifacts, ['means.means']);
  });

  it('refuses two optimizers of one model', async () => {
    const document = classifier({
      nodes: {
        other: { type: 'test/cross_entropy', inputs: { scores: 'head.scores', label: 'batch.label' } },
        second: { type: 'optimizer/sgd', inputs: { loss: 'other.loss' }, lr: 0.1 },
      },
    });
    await assert.rejects(planOf(document), /in phase train, sgd and second both train trunk: sum their losses/);
  });

  it('does not train behind a target', async () => {
    const { key_trunk, key_head, ...rest } = teacher;
    const plan = await planOf(
      classifier({ nodes: { ...rest, target: { type: 'test/centered_target', inputs: { scores: 'head.scores' } } } }),
    );
    const target = plan.phases[0].steps.find((step) => step.kind === 'node' && step.node.name === 'target');
    assert.equal(target?.kind === 'node' && target.gradient, false);
    assert.deepEqual([key_trunk.frozen, key_head.frozen], [true, true]);
  });
});
