import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isRight } from 'fp-ts/lib/Either.js';
import { summarize } from '../../../graph/model/summary.ts';
import vit from '../../../nodes/trunks/vit.ts';
import type { NodeType } from '../../../runtime/node.ts';
import { createRandom } from '../../../runtime/random.ts';
import { fromTorch, torchShape } from '../../../runtime/tensor/model/layout.ts';
import { createModel, type Model } from '../../../runtime/tensor/model.ts';
import type { Tensor } from '../../../runtime/tensor/types.ts';
import { describe as describeModel } from '../../oracles/model.ts';
import { checkGradients, formula, near, onEachBackend, size, values } from '../../tensor/support.ts';

interface Case {
  readonly pool: string;
  readonly image: readonly number[];
  readonly tokens: readonly number[];
  readonly features: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

const { cases } = JSON.parse(readFileSync(new URL('fixtures/vit.json', import.meta.url), 'utf8')) as {
  cases: readonly Case[];
};

const spec = (params: Readonly<Record<string, unknown>>) => describeModel(vit as NodeType, params);
const small = { image_size: 12, patch_size: 4, dim: 8, depth: 2, heads: 2, mlp_ratio: 2 };

function count(params: Readonly<Record<string, unknown>>, image = 224) {
  const summary = summarize(spec(params), [[[1], [image], [image], [3]]]);
  assert.ok(isRight(summary));
  return summary.right;
}

describe('trunk/vit', () => {
  it('has the parameters and the cost of the published models', () => {
    // without classifier: 5.72, 22.05 and 86.57 million with one of 1000 classes
    assert.equal(count({ dim: 192, heads: 3 }).parameterCount, 5_524_416);
    assert.equal(count({}).parameterCount, 21_665_664);
    const base = count({ dim: 768, heads: 12 });
    assert.equal(base.parameterCount, 85_798_656);
    assert.ok(Math.abs(base.costs[0].flops! / 1e9 - 17.6) < 0.2, `${base.costs[0].flops}`);
    assert.deepEqual(base.outputs.tokens.shapes, [[[1], [197], [768]]]);
    assert.deepEqual(base.outputs.features.shapes, [[[1], [768]]]);
    assert.deepEqual(count({ pool: 'mean', patch_size: 32 }).outputs.tokens.shapes, [[[1], [49], [384]]]);
  });

  it('says what does not fit', () => {
    assert.throws(() => spec({ patch_size: 15 }), /patches of 15 do not divide an image of 224/);
    assert.throws(() => spec({ heads: 5 }), /5 heads do not divide 384/);
  });
});

onEachBackend('a vision transformer', (get) => {
  const open = (params: Readonly<Record<string, unknown>>): Model => {
    const { tf } = get();
    const model = createModel(get(), spec({ ...small, ...params }), createRandom(0, 'vit'));
    for (const [k, [name, { variable }]] of [...model.variables].entries()) {
      const base = /norm\d?\.weight$/.test(name) ? 1 : 0;
      const shape = torchShape(variable.shape);
      const stored = fromTorch(
        formula(k, size(shape)).map((value) => base + value / 2),
        variable.shape,
      );
      tf.tidy(() => variable.assign(tf.tensor(stored, variable.shape)));
    }
    return model;
  };
  const inPytorchOrder = ({ tf }: ReturnType<typeof get>, gradient: Tensor) =>
    (gradient.shape.length === 4
      ? tf.transpose(gradient, [3, 2, 0, 1])
      : gradient.shape.length === 2
        ? tf.transpose(gradient)
        : gradient
    ).dataSync();

  for (const { pool, image, tokens, features, gradients } of cases) {
    it(`gives what PyTorch gives: ${pool}, ${image.slice(2).join('×')} pixels`, () => {
      const backend = get();
      const { tf } = backend;
      const model = open({ pool });
      backend.scope(() => {
        const x = tf.transpose(values(backend, 99, image), [0, 2, 3, 1]);
        const tape = backend.openTape();
        const y = model.forward(x, { training: true, outputs: ['tokens', 'features'] }) as Record<string, Tensor>;
        near(y.tokens.dataSync(), tokens, 2e-5, 'tokens');
        near(y.features.dataSync(), features, 2e-5, 'features');
        const loss = tf.add(
          tf.sum(tf.mul(y.tokens, values(backend, 100, y.tokens.shape))),
          tf.sum(tf.mul(y.features, values(backend, 101, y.features.shape))),
        );
        const names = [...model.variables.keys()];
        const found = tape.backward(
          loss,
          names.map((name) => model.variables.get(name)!.variable),
        );
        assert.deepEqual(names.sort(), Object.keys(gradients).sort());
        for (const [i, name] of [...model.variables.keys()].entries()) {
          near(inPytorchOrder(backend, found[i]!), gradients[name], 5e-4, `gradient of ${name}`);
        }
      });
      model.dispose();
    });
  }

  it('has gradients that agree with differences', () => {
    const backend = get();
    const model = open({ depth: 1, drop_path: 0 });
    backend.scope(() => {
      checkGradients(
        backend,
        [values(backend, 3, [1, 8, 8, 3])],
        (x) => model.forward(x, { training: true, outputs: ['features'] }).features as Tensor,
      );
    });
    model.dispose();
  });

  it('leaves whole blocks out for some images in training, and each for its own reason', () => {
    const backend = get();
    const model = open({ depth: 2, drop_path: 0.9 });
    backend.scope(() => {
      const x = backend.tf.tile(values(backend, 5, [1, 12, 12, 3]), [8, 1, 1, 1]);
      const at = (training: boolean, seed: number) => {
        const random = createRandom(seed, 'step');
        return model.forward(x, { training, outputs: ['features'], random }).features as Tensor;
      };
      const rows = (t: Tensor) => new Set((t.arraySync() as number[][]).map(String)).size;
      assert.equal(rows(at(false, 0)), 1);
      assert.ok(rows(at(true, 0)) > 1);
      assert.deepEqual(at(true, 1).arraySync(), at(true, 1).arraySync());
    });
    model.dispose();
  });
});
