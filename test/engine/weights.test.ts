import assert from 'node:assert/strict';
import { join } from 'node:path';
import { checkDocument } from '../../graph/check/check.ts';
import { resolveObject } from '../../graph/document/resolve.ts';
import { createRegistry } from '../../graph/registry.ts';
import { openSafetensors, writeSafetensors } from '../../runtime/train/safetensors.ts';
import { writeTorchFile } from '../../runtime/train/torch-file/write.ts';
import { classifier, runDocument, withFolder } from './fixtures/graph.ts';
import { fixtureTypes } from './fixtures/types.ts';

const trunk = (keys: object): object => ({ type: 'test/trunk', inputs: { images: 'batch.images' }, ...keys });

/** All tensors of a checkpoint's model, by name. */
async function tensors(checkpoint: string): Promise<Map<string, number[]>> {
  const file = await openSafetensors(join(checkpoint, 'model.safetensors'));
  try {
    const found = new Map<string, number[]>();
    for (const [name, { dtype }] of file.tensors)
      if (dtype === 'F32') found.set(name, [...(await file.readFloats(name))]);
    return found;
  } finally {
    await file.close();
  }
}

async function run(document: object, out: string) {
  const notices: string[] = [];
  const result = await runDocument(document, out, {
    onEvent: (event) => {
      if (event.type === 'notice') notices.push(`${event.level} ${event.from}: ${event.message}`);
    },
  });
  return { notices, model: await tensors(result.checkpoint!), checkpoint: result.checkpoint! };
}

const conv = 'trunk._feature_blocks.conv1.weight';
const mean = 'trunk._feature_blocks.bn1.running_mean';

describe('weights of models', () => {
  it('are stored with the names and layouts of PyTorch', () =>
    withFolder(async (out) => {
      const { checkpoint } = await run(classifier({ run: { epochs: 1 } }), out);
      const file = await openSafetensors(join(checkpoint, 'model.safetensors'));
      const shapes = Object.fromEntries(
        [...file.tensors].map(([name, { dtype, shape }]) => [name, `${dtype} [${shape}]`]),
      );
      await file.close();
      assert.deepEqual(shapes, {
        'head.clf.bias': 'F32 [10]',
        'head.clf.weight': 'F32 [10,4]',
        'trunk._feature_blocks.bn1.bias': 'F32 [4]',
        'trunk._feature_blocks.bn1.num_batches_tracked': 'I32 []',
        'trunk._feature_blocks.bn1.running_mean': 'F32 [4]',
        'trunk._feature_blocks.bn1.running_var': 'F32 [4]',
        'trunk._feature_blocks.bn1.weight': 'F32 [4]',
        'trunk._feature_blocks.conv1.weight': 'F32 [4,3,3,3]',
      });
    }));

  it('start from a checkpoint, and a frozen model keeps them and its running statistics', () =>
    withFolder(async (out) => {
      const first = await run(classifier({ run: { epochs: 1 } }), join(out, 'first'));
      const document = classifier({
        nodes: { trunk: trunk({ weights: first.checkpoint, frozen: true }) },
        run: { epochs: 1, seed: 99 },
      });
      const second = await run(document, join(out, 'second'));
      assert.deepEqual(second.model.get(conv), first.model.get(conv));
      assert.deepEqual(second.model.get(mean), first.model.get(mean));
      assert.notDeepEqual(second.model.get('head.clf.weight'), first.model.get('head.clf.weight'));
      assert.match(
        second.notices[0],
        /^info trunk: .*: 6 tensors used, 0 missing, 2 not of this model \(head\.clf\.bias/,
      );
    }));

  it('with frozen: "parameters" stay, while batch norm works as in training', () =>
    withFolder(async (out) => {
      const first = await run(classifier({ run: { epochs: 1 } }), join(out, 'first'));
      const nodes = { trunk: trunk({ weights: first.checkpoint, frozen: 'parameters' }) };
      const second = await run(classifier({ nodes, run: { epochs: 1 } }), join(out, 'second'));
      assert.deepEqual(second.model.get(conv), first.model.get(conv));
      assert.notDeepEqual(second.model.get(mean), first.model.get(mean));
    }));

  it('of another file come by name, with a prefix taken off, and what is missing is said', () =>
    withFolder(async (out) => {
      const path = join(out, 'x.safetensors');
      const values = Float32Array.from({ length: 108 }, (_, i) => i / 100);
      await writeSafetensors(path, [
        { name: 'encoder._feature_blocks.conv1.weight', dtype: 'F32', shape: [4, 3, 3, 3], read: () => values },
        { name: 'encoder.fc.weight', dtype: 'F32', shape: [1], read: () => values.slice(0, 1) },
      ]);
      const nodes = { trunk: trunk({ weights: path, weights_prefix: 'encoder.', frozen: true }) };
      const { model, notices } = await run(classifier({ nodes, run: { epochs: 1 } }), join(out, 'run'));
      assert.deepEqual(model.get(conv), [...values]);
      assert.match(
        notices[0],
        /^warning trunk: .*: 1 tensors used, 5 missing \(_feature_blocks\.bn1\.weight, .*\), 1 not of this model \(encoder\.fc\.weight\)$/,
      );
    }));

  it('are found behind any prefix, in the names of other projects and in files of PyTorch', () =>
    withFolder(async (out) => {
      const first = await run(classifier({ run: { epochs: 1 } }), join(out, 'first'));
      const file = await openSafetensors(join(first.checkpoint, 'model.safetensors'));
      const foreign = [...file.tensors]
        .filter(([name, { dtype }]) => name.startsWith('trunk.') && dtype === 'F32')
        .map(([name, { shape }]) => ({
          name: name.replace('trunk._feature_blocks.', 'module.'),
          dtype: 'float32' as const,
          shape,
          read: () => file.readFloats(name),
        }));
      const path = join(out, 'x.torch');
      await writeTorchFile(path, foreign, ['state_dict']);
      await file.close();
      const nodes = { trunk: trunk({ weights: path, frozen: true }) };
      const second = await run(classifier({ nodes, run: { epochs: 1, seed: 5 } }), join(out, 'second'));
      assert.deepEqual(second.model.get(conv), first.model.get(conv));
      assert.deepEqual(second.model.get(mean), first.model.get(mean));
      assert.match(
        second.notices[0],
        /^warning trunk: .*: 5 tensors used, 1 missing \(_feature_blocks\.bn1\.num_batches_tracked\), 0 not of this model; torchvision's names behind "module\."$/,
      );
    }));

  it('under two prefixes ask for the one that is meant', () =>
    withFolder(async (out) => {
      const path = join(out, 'x.safetensors');
      const one = (name: string, value: number) => ({
        name,
        dtype: 'F32' as const,
        shape: [4, 3, 3, 3],
        read: () => new Float32Array(108).fill(value),
      });
      const weight = '_feature_blocks.conv1.weight';
      await writeSafetensors(path, [one(`encoder_q.${weight}`, 1), one(`encoder_k.${weight}`, 2)]);
      const document = (keys: object) =>
        classifier({ nodes: { trunk: trunk({ weights: path, frozen: true, ...keys }) }, run: { epochs: 1 } });
      await assert.rejects(run(document({}), join(out, 'a')), /several prefixes: "encoder_[qk]\.", "encoder_[qk]\."/);
      const { model } = await run(document({ weights_prefix: 'encoder_k.' }), join(out, 'b'));
      assert.deepEqual(
        model.get(conv),
        Array.from({ length: 108 }, () => 2),
      );
      await assert.rejects(
        run(document({ weights_prefix: 'encoder_x.' }), join(out, 'c')),
        /no name in the file begins with "encoder_x\."; "encoder_[qk]\." is one that does/,
      );
    }));

  it('that do not fit are refused', () =>
    withFolder(async (out) => {
      const path = join(out, 'x.safetensors');
      const one = (name: string, shape: number[]) => ({
        name,
        dtype: 'F32' as const,
        shape,
        read: () => new Float32Array(shape.reduce((a, b) => a * b, 1)),
      });
      const document = classifier({ nodes: { trunk: trunk({ weights: path }) }, run: { epochs: 1 } });
      await writeSafetensors(path, [one('other.weight', [1])]);
      await assert.rejects(
        run(document, join(out, 'a')),
        /x\.safetensors has no weights for trunk: the file has names such as other\.weight, the model _feature_blocks\.conv1\.weight.*of another architecture/,
      );
      await writeSafetensors(path, [one('_feature_blocks.conv1.weight', [3, 3, 3, 4])]);
      await assert.rejects(
        run(document, join(out, 'b')),
        /for trunk: _feature_blocks\.conv1\.weight has shape \[3,3,3,4\]; the model's has \[4,3,3,3\] \(PyTorch's order\)/,
      );
    }));

  it('that are not there are found by the checks', async () => {
    const types = await createRegistry({ types: fixtureTypes });
    const resolved = await resolveObject(
      classifier({ nodes: { trunk: trunk({ weights: '/not/there.safetensors' }) } }),
    );
    assert.ok('right' in resolved);
    const checked = await checkDocument(resolved.right, types);
    assert.ok('left' in checked);
    assert.deepEqual(
      checked.left.map(({ layer, where, message }) => [layer, where, message]),
      [['environment', 'trunk.weights', 'there is no file /not/there.safetensors']],
    );
  });
});
