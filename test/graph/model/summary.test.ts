import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import type { Layer, ModelSpec } from '../../../graph/model/layers.ts';
import { type ModelSummary, summarize } from '../../../graph/model/summary.ts';
import type { Shape } from '../../../graph/port.ts';
import { conv, regnetY400mf, resnet } from '../fixtures/models.ts';

interface Case {
  readonly params: { readonly name: string };
  readonly outputs: {
    readonly num_parameters: number;
    readonly parameters: [string, number[]][];
    readonly buffers: [string, number[]][];
    readonly flops: number;
    readonly activations: number;
  };
}

const folder = process.env.ORACLES ?? 'test/oracles/cases';
const architectures: Case[] = JSON.parse(readFileSync(join(folder, 'trunks/architectures.json'), 'utf8')).cases;

function summary(spec: ModelSpec, ...inputs: Shape[]): ModelSummary {
  const result = summarize(spec, inputs);
  assert.ok(isRight(result), isLeft(result) ? result.left.join('\n') : '');
  return result.right;
}

function refused(spec: ModelSpec, ...inputs: Shape[]): readonly string[] {
  const result = summarize(spec, inputs);
  assert.ok(isLeft(result), 'expected problems');
  return result.left;
}

const stack = (...layers: Layer[]): ModelSpec => ({
  stages: [{ name: 'body', layer: { op: 'sequence', layers } }],
  outputs: { out: { stage: 'body' } },
});
const image = (n: number, channels = 3): Shape => [[1], [n], [n], [channels]];

describe('model summary', () => {
  const models: Record<string, ModelSpec> = {
    resnet18: resnet({ depth: 18 }),
    resnet34: resnet({ depth: 34 }),
    resnet50: resnet({ depth: 50 }),
    resnet101: resnet({ depth: 101 }),
    resnet152: resnet({ depth: 152 }),
    resnet50_w2: resnet({ depth: 50, width: 2 }),
    resnext101_32x8d: resnet({ depth: 101, groups: 32, widthPerGroup: 8 }),
    resnet50_lab_stride1: resnet({ depth: 50, layer4Stride: 1, channels: 1 }),
    regnet_y_400mf: regnetY400mf(),
  };
  for (const [name, spec] of Object.entries(models)) {
    it(`counts ${name} as PyTorch and ClassyVision do`, () => {
      const expected = architectures.find(({ params }) => params.name === name)!.outputs;
      const got = summary(spec, image(224, name.includes('lab') ? 1 : 3));
      const sorted = (list: [string, readonly number[]][]) => list.sort(([a], [b]) => (a < b ? -1 : 1));
      assert.deepEqual(
        sorted(got.parameters.map(({ name, torchShape }) => [name, torchShape])),
        sorted(expected.parameters),
      );
      assert.deepEqual(sorted(got.buffers.map(({ name, shape }) => [name, shape])), sorted(expected.buffers));
      assert.equal(got.parameterCount, expected.num_parameters);
      assert.equal(got.costs[0]!.flops, expected.flops);
      assert.equal(got.costs[0]!.activations, expected.activations);
    });
  }

  it('gives shapes of outputs and stages, and stored layouts', () => {
    const got = summary(resnet({ depth: 50 }), [[64], [224], [224], [3]]);
    assert.deepEqual(got.outputs.res1, { shapes: [[[64], [56], [56], [64]]], list: false });
    assert.deepEqual(got.outputs.res4, { shapes: [[[64], [14], [14], [1024]]], list: false });
    assert.deepEqual(got.outputs.res5avg, { shapes: [[[64], [2048]]], list: false });
    assert.deepEqual(got.parameters[0]!.shape, [7, 7, 3, 64]);
    assert.equal(
      got.stages.reduce((sum, { parameters }) => sum + parameters, 0),
      got.parameterCount,
    );
    assert.equal(
      got.stages.reduce((sum, { flops }) => sum + flops!, 0),
      got.costs[0]!.flops,
    );
    assert.equal(got.trainableCount, got.parameterCount);
    assert.equal(summary(resnet({ depth: 50, frozen: true }), image(224)).trainableCount, 0);
  });

  it('concatenates crops of several sizes where they agree, and lists them where not', () => {
    const got = summary(resnet({ depth: 50 }), [[2, 64], [224], [224], [3]], [[6, 64], [96], [96], [3]]);
    assert.deepEqual(got.outputs.res5avg, { shapes: [[[8, 64], [2048]]], list: false });
    assert.deepEqual(got.outputs.res5, {
      shapes: [
        [[2, 64], [7], [7], [2048]],
        [[6, 64], [3], [3], [2048]],
      ],
      list: true,
    });
    assert.equal(got.costs.length, 2);
    assert.equal(got.costs[0]!.flops, 4120879616);
    assert.ok(got.costs[1]!.flops! < got.costs[0]!.flops! / 4);
  });

  it('keeps sizes that are known only later, and then knows no costs', () => {
    const got = summary(resnet({ depth: 50 }), [['N'], ['H'], ['W'], [3]]);
    assert.deepEqual(got.outputs.res5avg, { shapes: [[['N'], [2048]]], list: false });
    assert.deepEqual(
      got.outputs.res5!.shapes[0]!.map((dim) => typeof dim[0]),
      ['string', 'string', 'string', 'number'],
    );
    assert.equal(got.costs[0]!.flops, undefined);
    assert.equal(got.parameterCount, 23508032);
  });

  it('gives several values of one port, layers behind outputs, and parameters by reference', () => {
    const head: ModelSpec = {
      stages: [
        { name: 'projection_head', layer: { op: 'linear', in: 8, out: 4 } },
        { name: 'norm', layer: { op: 'l2_normalize' } },
      ],
      outputs: {
        scores: [
          { stage: 'norm', layer: { op: 'linear', name: 'prototypes0', in: 4, out: 30, bias: false } },
          { stage: 'norm', layer: { op: 'linear', name: 'prototypes1', in: 4, out: 50, bias: false } },
        ],
      },
      weights: { prototypes: ['prototypes0.weight', 'prototypes1.weight'] },
    };
    const got = summary(head, [[2, 16], [8]]);
    assert.deepEqual(got.outputs.scores, {
      shapes: [
        [[2, 16], [30]],
        [[2, 16], [50]],
      ],
      list: true,
    });
    assert.deepEqual(
      got.parameters.map(({ name, torchShape }) => [name, torchShape]),
      [
        ['projection_head.weight', [4, 8]],
        ['projection_head.bias', [4]],
        ['prototypes0.weight', [30, 4]],
        ['prototypes1.weight', [50, 4]],
      ],
    );
    const wrong = { ...head, weights: { prototypes: ['prototypes2.weight'] } };
    assert.match(refused(wrong, [[2], [8]])[0]!, /prototypes hands out "prototypes2\.weight", which is no parameter/);
  });

  it('follows PyTorch on windows: ceil mode, dilation, grouping', () => {
    const out = (layer: Layer, n: number, channels = 4) =>
      summary(stack(layer), image(n, channels)).outputs.out!.shapes[0];
    const pool = { op: 'max_pool', kernel: [3, 3], stride: [2, 2] } as const;
    assert.deepEqual(out(pool, 8), [[1], [3], [3], [4]]);
    assert.deepEqual(out({ ...pool, ceil: true }, 8), [[1], [4], [4], [4]]);
    // the last window would begin in the right padding and is left out
    assert.deepEqual(out({ op: 'avg_pool', kernel: [2, 2], padding: [1, 1], ceil: true }, 5), [[1], [3], [3], [4]]);
    assert.deepEqual(out(conv('c', 4, 6, 3, 1, { dilation: [2, 2], padding: [0, 0] }), 9), [[1], [5], [5], [6]]);
    assert.deepEqual(out({ op: 'flatten' }, 3), [[1], [36]]);
    assert.deepEqual(out({ op: 'select_channels', channels: [0] }, 3), [[1], [3], [3], [1]]);
  });

  it('says which layer does not fit and which sizes', () => {
    const map = image(8, 4);
    const message = (spec: ModelSpec, ...inputs: Shape[]) => refused(spec, ...inputs).join('\n');
    assert.equal(message(stack(conv('stem', 3, 8, 3)), map), 'conv2d "body.stem" takes 3 channels but is given 4');
    assert.equal(
      message(stack({ op: 'linear', name: 'fc', in: 256, out: 2 }), map),
      'linear "body.fc" needs [N, features], not a map of 1×8×8×4: flatten it first',
    );
    assert.equal(
      message(stack({ op: 'flatten' }, { op: 'linear', name: 'fc', in: 512, out: 2 }), map),
      'linear "body.fc" takes 512 features but is given 256',
    );
    assert.equal(
      message(stack({ op: 'avg_pool', name: 'pool', kernel: [9, 9] }), map),
      'avg_pool "body.pool" has a 9×9 window that does not fit in a 8×8 map',
    );
    assert.equal(
      message(stack({ op: 'residual', name: '0', main: conv('a', 4, 8, 1) }), map),
      'residual "body.0" adds a branch of 1×8×8×8 to a shortcut of 1×8×8×4',
    );
    assert.equal(
      message(stack(conv('c', 4, 6, 1, 1, { groups: 4 })), map),
      'conv2d "body.c" cannot split 4 → 6 channels in 4 groups',
    );
    assert.equal(
      message({ ...stack(), outputs: { out: { stage: 'tail' } } }, map),
      'the output out reads the stage "tail", but the stages are body',
    );
    assert.match(message(resnet({ depth: 18 }), image(224), image(1, 1)), /^for images of 1×1×1×1: conv2d .*takes 3/);
    assert.match(message(stack({ op: 'linear', in: 3, out: 2 }), []), /^linear "body" needs .*, not scalar$/);
    assert.equal(
      message(
        stack(
          { op: 'flatten' },
          { op: 'linear', name: 'a', in: 256, out: 9 },
          { op: 'linear', name: 'a', in: 9, out: 9 },
        ),
        map,
      ),
      'two parameters are named "body.a.weight", of 256,9 and of 9,9',
    );
  });
});
