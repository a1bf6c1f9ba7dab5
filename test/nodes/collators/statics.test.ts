import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { Value } from '@sinclair/typebox/value';
import type { NodeProblem } from '../../../graph/node-type.ts';
import type { SampleFacts } from '../../../graph/port.ts';
import { sampleBeta } from '../../../nodes/collators/beta.ts';
import type { NodeType } from '../../../runtime/node.ts';
import { createRandom } from '../../../runtime/random.ts';

const folder = new URL('../../../nodes/collators/', import.meta.url);
const types: Record<string, NodeType> = {};

const facts = (...sides: number[]): SampleFacts => ({
  views: sides.map((side) => [[side], [side], [3]]),
  dtype: 'float32',
  labelled: true,
});

const masked = (before: SampleFacts): SampleFacts => ({ ...before, masks: before.views.map(() => [[2], [2]]) });

function slabs(name: string, given: Record<string, unknown>, before: SampleFacts) {
  const type = types[name];
  if (type.role !== 'collator') throw new Error(`${name} is not a collator`);
  const problems: NodeProblem[] = [];
  const params = Value.Default(type.params, { batch_size: 4, num_classes: 5, ...given }) as any;
  const made = type.slabs(before, params, (problem) => problems.push(problem));
  const outputs = typeof type.outputs === 'function' ? type.outputs(params) : type.outputs!;
  return {
    made,
    ports: Object.keys(outputs),
    messages: problems.map(({ message, cure }) => (cure ? `${message}. ${cure}` : message)),
  };
}

const shapes = (name: string, given: Record<string, unknown>, before: SampleFacts) =>
  slabs(name, given, before).made.map(
    ({ port, element, shape }) => `${port}${element} ${shape.map((dim) => dim.join('*')).join(' ')}`,
  );

describe('collators say before a run what batches hold', () => {
  before(async () => {
    for (const name of readdirSync(folder)) {
      const { default: type } = (await import(new URL(name, folder).href)) as { default?: NodeType };
      if (type) types[name.replace(/\.ts$/, '')] = type;
    }
  });

  it('all: names after files, and every output has a slab', () => {
    for (const [name, type] of Object.entries(types)) {
      assert.equal(type.type, `collator/${name}`);
      const views = { default: 1, targets_one_hot: 1, moco: 2 }[name] ?? 3;
      const before =
        name === 'ibot_multicrop_masking' ? masked(facts(8, 8, 4)) : facts(...new Array<number>(views).fill(8));
      for (const given of name === 'multicrop' ? [{}, { create_multidimensional_tensor: true }] : [{}]) {
        const { made, messages, ports } = slabs(name, given, before);
        assert.deepEqual(messages, [], name);
        assert.deepEqual([...new Set(made.map(({ port }) => port))].sort(), ports.sort(), name);
      }
    }
  });

  it('sizes, with factors', () => {
    const own = ['label0 6*4', 'index0 6*4', 'valid0 6*4'];
    assert.deepEqual(shapes('multicrop', {}, facts(24, 24, 10, 10, 10, 10)), [
      'images0 2*4 24 24 3',
      'images1 4*4 10 10 3',
      ...own,
    ]);
    assert.deepEqual(shapes('multicrop', {}, facts(24, 10, 24)).slice(0, 3), [
      'images0 1*4 24 24 3',
      'images1 1*4 10 10 3',
      'images2 1*4 24 24 3',
    ]);
    assert.deepEqual(shapes('multicrop', { create_multidimensional_tensor: true }, facts(24, 10, 24)), [
      'images0 3*4 24 24 3',
      'mask0 3*4 24 24',
      ...['label0 3*4', 'index0 3*4', 'valid0 3*4'],
    ]);
    assert.deepEqual(shapes('ibot_multicrop_masking', {}, masked(facts(9, 5, 9))), [
      'global_views0 2*4 9 9 3',
      'local_views0 1*4 5 5 3',
      'mask0 2*4 2 2',
      ...['label0 3*4', 'index0 3*4', 'valid0 3*4'],
    ]);
    assert.deepEqual(shapes('simclr', {}, facts(9, 9))[0], 'images0 2*4 9 9 3');
    assert.deepEqual(shapes('siamese', {}, facts(9, 9, 9)).slice(0, 2), ['images0 4*3 9 9 3', 'label0 4']);
    assert.deepEqual(shapes('patch_and_image', {}, facts(20, 9, 9)).slice(0, 3), [
      'images0 4 20 20 3',
      'patches0 4*2 9 9 3',
      'label0 4',
    ]);
    assert.deepEqual(shapes('multicrop_mixup', {}, facts(9, 9)).slice(0, 2), ['images0 2*2 9 9 3', 'label0 2*2']);
    assert.deepEqual(shapes('targets_one_hot', {}, facts(9))[1], 'label0 4 5');
    assert.deepEqual(shapes('cutmixup', {}, facts(9, 9))[1], 'label0 2*4 5');
    assert.deepEqual(shapes('default', {}, { ...facts(9), labelSize: 20 })[1], 'label0 4 20');
  });

  it('mistakes, with their cure', () => {
    const message = (name: string, before: SampleFacts) => slabs(name, {}, before).messages[0] ?? '';
    for (const name of Object.keys(types)) {
      const open: SampleFacts = {
        ...facts(8, 8),
        views: [
          [['H'], ['W'], [3]],
          [['H'], ['W'], [3]],
        ],
      };
      assert.match(
        message(name, open),
        /view 0 has the size H×W×3, which differs from image to image\. Put a transform/,
        name,
      );
      assert.match(
        message(name, { ...facts(8, 8), dtype: 'uint8' }),
        /still bytes\. End the chain with transform\/to_tensor/,
        name,
      );
    }
    assert.match(message('default', facts(8, 8)), /have 2 views, and this collator takes one\. Use collator\/simclr/);
    assert.match(message('simclr', facts(8, 6)), /view 0 is 8×8×3 while view 1 is 6×6×3\. Use collator\/multicrop/);
    assert.match(message('moco', facts(8, 8, 8)), /have 3 views, and this collator takes two/);
    assert.match(message('patch_and_image', facts(8)), /have no patches/);
    assert.match(
      message('ibot_multicrop_masking', masked(facts(8, 8))),
      /all crops are of one size\. Add smaller ones/,
    );
    assert.match(message('ibot_multicrop_masking', masked(facts(8, 6, 4))), /views 1 and 2 are 6×6×3 and 4×4×3; only/);
    assert.match(message('ibot_multicrop_masking', facts(8, 4)), /view 0 has no mask .* Put transform\/masked_image/);
    assert.match(message('cutmixup', { ...facts(8), labelled: false }), /no labels to mix/);
  });
});

describe('beta variables', () => {
  for (const [a, b] of [
    [0.2, 0.2],
    [1, 1],
    [2, 5],
    [8, 0.5],
  ]) {
    it(`Beta(${a}, ${b}) has its mean and variance`, () => {
      const random = createRandom(1);
      const values = Array.from({ length: 20000 }, () => sampleBeta(random, a, b));
      const mean = values.reduce((x, y) => x + y) / values.length;
      const variance = values.reduce((x, y) => x + (y - mean) ** 2, 0) / values.length;
      assert.ok(values.every((value) => value >= 0 && value <= 1));
      assert.ok(Math.abs(mean - a / (a + b)) < 0.012, `mean ${mean}`);
      const wanted = (a * b) / ((a + b) ** 2 * (a + b + 1));
      assert.ok(Math.abs(variance - wanted) < 0.1 * wanted, `variance ${variance}, not ${wanted}`);
    });
  }
});
