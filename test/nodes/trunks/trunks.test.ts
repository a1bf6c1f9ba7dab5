import assert from 'node:assert/strict';
import { isRight } from 'fp-ts/lib/Either.js';
import type { ModelSpec } from '../../../graph/model/layers.ts';
import { summarize } from '../../../graph/model/summary.ts';
import type { NodeProblem } from '../../../graph/node-type.ts';
import type { Shape } from '../../../graph/port.ts';
import evalMlp from '../../../nodes/heads/eval_mlp.ts';
import mlp from '../../../nodes/heads/mlp.ts';
import efficientnet from '../../../nodes/trunks/efficientnet.ts';
import regnet from '../../../nodes/trunks/regnet.ts';
import { REGNETS, regnetStages } from '../../../nodes/trunks/regnet-stages.ts';
import resnet from '../../../nodes/trunks/resnet.ts';
import type { NodeType } from '../../../runtime/node.ts';
import { createRandom } from '../../../runtime/random.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import { modelParameters } from '../../../runtime/tensor/model/parameters.ts';
import { createModel } from '../../../runtime/tensor/model.ts';
import { paramsOf, tensorValue } from '../../support/node-context.ts';

function describeModel(
  definition: unknown,
  params: object,
  inputs = {},
): { spec?: ModelSpec; problems: NodeProblem[] } {
  const node = definition as NodeType;
  assert(node.role === 'model');
  const problems: NodeProblem[] = [];
  const filled = paramsOf(node, { ...params });
  const spec = node.model({ name: 'node', params: filled, inputs, symbols: {}, problem: (p) => problems.push(p) });
  return { spec, problems };
}

const images = (size: number): Shape => [[1], [size], [size], [3]];

function outputs(spec: ModelSpec, size: number): Record<string, string> {
  const summary = summarize(spec, [images(size)]);
  assert(isRight(summary), JSON.stringify(summary));
  return Object.fromEntries(
    Object.entries(summary.right.outputs).map(([name, { shapes }]) => [name, shapes[0].slice(1).join('×')]),
  );
}

describe('trunk/resnet', () => {
  it('with the small stem keeps the size of small images', () => {
    const { spec } = describeModel(resnet, { depth: 18, stem: 'small', width_multiplier: 0.25 });
    const shapes = outputs(spec!, 32);
    assert.equal(shapes.conv1, '32×32×16');
    assert.equal(shapes.res1, shapes.conv1);
    assert.equal(shapes.res5, '4×4×128');
    assert.equal(shapes.flatten, '128');
  });

  it('can draw what torchvision draws, and start blocks at zero', () => {
    const values = (params: object, name: string) => {
      const { spec } = describeModel(resnet, { depth: 50, ...params });
      return modelParameters(spec!).get(`_feature_blocks.${name}`)!.values(createRandom(0, name));
    };
    const std = (x: Float32Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length);
    const name = 'layer1.0.conv2.weight';
    assert.ok(Math.abs(std(values({ init: 'he_fan_out' }, name)) - Math.sqrt(2 / (64 * 9))) < 2e-3);
    const bound = 1 / Math.sqrt(64 * 9);
    assert.ok(values({}, name).every((x) => Math.abs(x) <= bound));
    assert.ok(values({ zero_init_residual: true }, 'layer1.0.bn3.weight').every((x) => x === 0));
    assert.ok(values({ zero_init_residual: true }, 'layer1.0.bn2.weight').every((x) => x === 1));
  });

  it('says which params do not fit', () => {
    const { problems: groups } = describeModel(resnet, { depth: 18, groups: 32 });
    assert.match(groups[0].message, /basic blocks \(depth 18\) have one group/);
    const { problems: width } = describeModel(resnet, { width_multiplier: 0.3 });
    assert.match(width[0].cure!, /multiple of 1\/64/);
    assert.throws(() => describeModel(resnet, { depth: 51 }), /depth/);
  });
});

describe('trunk/regnet', () => {
  it('the published models have the widths of their papers and configs', () => {
    const last = (name: string) => regnetStages(REGNETS[name], 1).at(-1)!.width;
    assert.deepEqual(
      ['regnet_y_400mf', 'regnet_y_8gf', 'regnet_y_16gf', 'regnet_y_32gf', 'regnet_y_128gf', 'regnet_y_256gf'].map(
        last,
      ),
      [440, 2016, 3024, 3712, 7392, 10444],
    );
  });

  it('takes one description of the stages', () => {
    const { problems } = describeModel(regnet, { name: 'regnet_y_400mf', depth: 16 });
    assert.match(problems[0].message, /one of three descriptions/);
    const { problems: missing } = describeModel(regnet, { depth: 16, w_0: 48 });
    assert.match(missing[0].message, /w_a is missing/);
    const { problems: short } = describeModel(regnet, { depths: [1, 1], widths: [8, 8, 8, 8] });
    assert.match(short[0].message, /depths needs a number for each of the four stages/);
  });

  it('X models have no squeeze-and-excitation', () => {
    const { spec } = describeModel(regnet, { name: 'regnet_x_400mf' });
    assert.ok(![...modelParameters(spec!).keys()].some((name) => name.includes('.se.')));
  });
});

describe('trunk/efficientnet', () => {
  it('B4 scales width and depth', () => {
    const { spec } = describeModel(efficientnet, { model_version: 'B4' });
    assert.equal(spec!.stages.filter(({ name }) => name.startsWith('block')).length, 32);
    assert.equal(outputs(spec!, 64).flatten, '1792');
  });

  it('leaves blocks out in training, as the random stream says', async () => {
    const backend = await openBackend('wasm');
    const { spec } = describeModel(efficientnet, { model_version: 'B0', drop_connect_rate: 0.9 });
    const model = createModel(backend, spec!, createRandom(0, 'model'));
    const run = (training: boolean, seed: number) =>
      backend.scope(() => {
        const x = backend.tf.ones([2, 32, 32, 3]);
        const made = model.forward([x], { training, outputs: ['block2'], random: createRandom(seed) });
        return [...(made.block2 as { dataSync(): Float32Array }).dataSync()];
      });
    assert.deepEqual(run(false, 1), run(false, 2));
    assert.deepEqual(run(true, 1).length, run(true, 1).length);
    const [a, b] = [run(true, 1), run(true, 1)];
    assert.deepEqual(a, b, 'the same stream leaves out the same blocks');
    const seeds = Array.from({ length: 8 }, (_, seed) => JSON.stringify(run(true, seed)));
    assert.ok(new Set(seeds).size > 1);
    model.dispose();
  });
});

describe('heads', () => {
  it('compare dims with what they are given', () => {
    const { problems } = describeModel(mlp, { dims: [2048, 128] }, { features: [tensorValue(8, 1, 1, 512)] });
    assert.match(problems[0].message, /dims begins with 2048, and the features have 512 values/);
    assert.equal(problems[0].cure, 'Write dims as [512, 128]');
    const { problems: maps } = describeModel(mlp, { dims: [512, 128] }, { features: [tensorValue(8, 7, 7, 512)] });
    assert.match(maps[0].message, /maps of 7×7 places/);
    const { problems: flat } = describeModel(
      evalMlp,
      { in_channels: 64, dims: [9216, 1000] },
      { features: [tensorValue(8, 10, 10, 64)] },
    );
    assert.match(flat[0].message, /dims begins with 9216, and the features have 6400 values \(10×10×64\)/);
  });
});
