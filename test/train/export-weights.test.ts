import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWeights } from '../../runtime/train/describe-weights.ts';
import { exportWeights } from '../../runtime/train/export-weights.ts';
import { parseRenaming } from '../../runtime/train/rename.ts';
import { openSafetensors, type TensorSource, writeSafetensors } from '../../runtime/train/safetensors.ts';
import { openTorchFile } from '../../runtime/train/torch-file/open.ts';
import { PyDict } from '../../runtime/train/torch-file/values.ts';
import { openWeightsFile } from '../../runtime/train/weights-file.ts';

const NAMES = ['conv1.weight', 'bn1.running_mean', 'layer1.0.conv1.weight', 'layer1.0.downsample.1.bias'];

const tensor = (name: string, i: number): TensorSource => ({
  name,
  dtype: 'F32',
  shape: [2],
  read: () => Float32Array.of(i, i + 0.5),
});

describe('pipe export', () => {
  let folder: string;
  let run: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pipe-export-'));
    run = join(folder, 'run');
    const checkpoint = join(run, 'checkpoints', 'step-0000000001-final');
    await mkdir(checkpoint, { recursive: true });
    await writeFile(join(run, 'checkpoints', 'latest'), 'step-0000000001-final\n');
    await writeSafetensors(join(checkpoint, 'model.safetensors'), [
      ...NAMES.map((name, i) => tensor(`trunk._feature_blocks.${name}`, i)),
      {
        name: 'trunk._feature_blocks.bn1.num_batches_tracked',
        dtype: 'I32',
        shape: [],
        read: () => Int32Array.of(7),
      },
      tensor('head.clf.0.weight', 9),
    ]);
  });
  after(() => rm(folder, { recursive: true }));

  const names = async (path: string): Promise<string[]> => {
    const file = await openWeightsFile(path);
    await file.close();
    return [...file.names].sort();
  };

  it('writes one model of the newest checkpoint of a run, counters as int64', async () => {
    const to = join(folder, 'trunk.safetensors');
    const { tensors, parameters } = await exportWeights({ from: run, node: 'trunk', to, names: 'vissl' });
    assert.deepEqual([tensors, parameters], [5, 6]);
    const file = await openSafetensors(to);
    assert.equal(file.tensors.get('_feature_blocks.bn1.num_batches_tracked')!.dtype, 'I64');
    assert.deepEqual([...(await file.readFloats('_feature_blocks.layer1.0.conv1.weight'))], [2, 2.5]);
    await file.close();
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('.tmp')),
      [],
    );
  });

  it('changes what names begin with, one renaming after the other', async () => {
    const to = join(folder, 'renamed.safetensors');
    const changes = [
      { from: '_feature_blocks.layer1.', to: 'first.' },
      { from: '', to: 'backbone.' },
    ];
    await exportWeights({ from: run, node: 'trunk', to, names: 'vissl', rename: changes });
    const found = await names(to);
    assert.ok(found.includes('backbone.first.0.conv1.weight'), found.join());
    assert.ok(found.every((name) => name.startsWith('backbone.')));
    const clash = NAMES.slice(0, 2).map((name) => ({ from: `_feature_blocks.${name}`, to: 'x' }));
    await assert.rejects(
      () => exportWeights({ from: run, node: 'trunk', to, names: 'vissl', rename: clash }),
      /two tensors would be named x/,
    );
    assert.deepEqual(parseRenaming('module.='), { from: 'module.', to: '' });
    assert.deepEqual(parseRenaming('=trunk.'), { from: '', to: 'trunk.' });
    assert.equal(parseRenaming('module'), undefined);
  });

  it('says what a file holds', async () => {
    const found = await describeWeights(join(run, 'checkpoints', 'step-0000000001-final'));
    assert.equal(found.names, 'VISSL');
    assert.deepEqual(
      found.models.map(({ name, tensors }) => [name, tensors]),
      [
        ['head', 1],
        ['trunk', 5],
      ],
    );
    assert.deepEqual(found.tensors[0], { name: found.tensors[0].name, shape: [2], integer: false });
    const extractor = join(folder, 'extractor.safetensors');
    await writeSafetensors(extractor, [tensor('trunk.base_model._feature_blocks.conv1.weight', 1)]);
    assert.match((await describeWeights(extractor)).names!, /feature extractor/);
    await assert.rejects(() => describeWeights(join(folder, 'none.pth')), /there is no weights file/);
  });

  it('gives the names and the frame that each project loads', async () => {
    const to = join(folder, 'x.pth');
    const dict = async (): Promise<PyDict> => {
      const file = await openTorchFile(to);
      await file.close();
      return file.value as PyDict;
    };
    await exportWeights({ from: run, node: 'trunk', to, names: 'torchvision' });
    const bare = await dict();
    assert.equal(bare.ordered, true);
    assert.deepEqual(await names(to), [...NAMES, 'bn1.num_batches_tracked'].sort());

    const { skipped } = await exportWeights({ from: run, node: 'trunk', to, names: 'detectron2' });
    assert.equal((await dict()).get('matching_heuristics'), true);
    assert.deepEqual(skipped, ['_feature_blocks.bn1.num_batches_tracked']);
    assert.deepEqual(await names(to), [
      'res2.0.conv1.weight',
      'res2.0.shortcut.norm.bias',
      'stem.conv1.norm.running_mean',
      'stem.conv1.weight',
    ]);

    await exportWeights({ from: run, node: 'trunk', to, names: 'classy' });
    assert.ok((await dict()).get('model_state_dict') instanceof PyDict);
    assert.ok((await names(to)).includes('blocks.0.block0-0.downsample.1.bias'));
  });

  it('converts files of other projects too', async () => {
    const [classy, back] = [join(folder, 'classy.torch'), join(folder, 'back.safetensors')];
    await exportWeights({ from: run, node: 'trunk', to: classy, names: 'classy' });
    await exportWeights({ from: classy, to: back, names: 'torchvision' });
    assert.deepEqual(await names(back), [...NAMES].sort());
    const again = join(folder, 'again.safetensors');
    await exportWeights({ from: back, to: again, names: 'vissl' });
    assert.deepEqual(await names(again), NAMES.map((name) => `_feature_blocks.${name}`).sort());
  });

  it('says what is missing or cannot be named', async () => {
    const to = join(folder, 'y.pth');
    const refused = (request: object, message: RegExp) =>
      assert.rejects(exportWeights({ from: run, to, names: 'vissl', ...request }), message);
    await refused({}, /several models\. Say which with --node: (trunk, head|head, trunk)/);
    await refused({ node: 'trunkk' }, /no model "trunkk"\. It has/);
    await refused({ node: 'head', names: 'detectron2' }, /no name for clf\.0\.weight: ResNets only/);
    await refused({ node: 'trunk', to: 'x.onnx' }, /no known ending/);
    await refused({ from: join(folder, 'nowhere') }, /no run, checkpoint or file/);
    await refused({ from: folder }, /holds no checkpoint/);
    assert.ok(!(await readdir(folder)).includes('y.pth'));
  });
});
