import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FeatureBank } from '../../../nodes/features/feature-bank.ts';
import { mergeNpyFiles, npyName } from '../../../nodes/features/npy-files.ts';
import read from '../../../nodes/features/read.ts';
import write from '../../../nodes/features/write.ts';
import { writeNpy } from '../../../runtime/data/npy-write.ts';
import type { NodeType } from '../../../runtime/node.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import { openSafetensors } from '../../../runtime/train/safetensors.ts';
import { nodeContext } from '../../support/node-context.ts';

const bank: FeatureBank = {
  rows: 3,
  width: 2,
  features: Float32Array.of(0, 1, 2, 3, 4, 5),
  labels: Int32Array.of(2, 0, 1),
  indices: Int32Array.of(0, 1, 5),
};

describe('files of features', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pipe-features-'));
  });
  after(() => rm(folder, { recursive: true }));

  const node = async (definition: unknown, params: Record<string, unknown>) =>
    (definition as Extract<NodeType, { role: 'artifact' | 'evaluator' }>).create(
      nodeContext(await openBackend('wasm'), definition as NodeType, { params, run: { out: folder } }),
    );

  it('are what NumPy writes', async () => {
    const path = join(folder, 'x.npy');
    await writeNpy(path, { shape: [2, 3], values: Float32Array.of(0, 1, 2, 3, 4, 5) });
    const bytes = await readFile(path);
    assert.equal(bytes.length, 128 + 24);
    const head = "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    assert.equal(bytes.toString('latin1', 0, 128), `${head.padEnd(127)}\n`);
    await writeNpy(path, { shape: [2], values: Int32Array.of(1, 2) });
    assert.match((await readFile(path)).toString('latin1', 0, 128), /'<i4', 'fortran_order': False, 'shape': \(2,\)/);
    await assert.rejects(writeNpy(path, { shape: [3], values: Int32Array.of(1) }), /1 values are no array/);
  });

  it('are written and read as they were, one label or several', async () => {
    const params = { split: 'test', layer: 'res5' };
    for (const own of [bank, { ...bank, labels: Int32Array.of(1, 0, 0, -1, 1, 1), labelWidth: 2 }]) {
      const { files } = await (await node(write, params))({ bank: own });
      assert.equal(files.paths[0], join(folder, 'features', 'rank0_test_res5_features.npy'));
      const { bank: found } = await (await node(read, { ...params, folder: join(folder, 'features') }))({});
      assert.deepEqual({ ...found, labels: [...found.labels] }, { ...own, labels: [...own.labels!] });
    }
  });

  it('of several ranks are merged: sorted, the first row of an index wins', async () => {
    const rank = async (r: number, rows: readonly (readonly [index: number, value: number])[]) => {
      const path = (what: 'features' | 'targets' | 'inds') => join(folder, npyName(r, 'train', 'heads', what));
      const indices = BigInt64Array.from(rows, ([index]) => BigInt(index));
      await writeNpy(path('features'), { shape: [rows.length, 1], values: Float32Array.from(rows, ([, v]) => v) });
      await writeNpy(path('inds'), { shape: [rows.length], values: indices });
      await writeNpy(path('targets'), { shape: [rows.length, 1], values: indices });
    };
    await rank(0, [[4, 40], [0, 0]]); // biome-ignore format: rows
    await rank(10, [[2, 99]]);
    await rank(2, [[2, 20], [4, 41]]); // biome-ignore format: rows
    const { features, indices, labels } = await mergeNpyFiles(folder, 'train', 'heads');
    assert.deepEqual([[...features], [...indices], [...labels!]], [[0, 20, 40], [0, 2, 4], [0, 2, 4]]); // biome-ignore format: rows
    await assert.rejects(mergeNpyFiles(folder, 'test', 'heads'), /no rank0_test_heads_features\.npy/);
    const problems = await (read as NodeType).check!({ params: { folder, split: 'test', layer: 'x' }, name: 'read' });
    assert.match(`${problems[0].message} ${problems[0].cure}`, /no file rank…_test_x_features\.npy It has rank/);
  });

  it('may be one safetensors file', async () => {
    const { files } = await (await node(write, { format: 'safetensors', layer: 'res5' }))({ bank });
    const file = await openSafetensors(files.paths[0]);
    assert.deepEqual([...(await file.readFloats('features'))], [...bank.features]);
    assert.deepEqual(file.tensors.get('labels')!.shape, [3]);
    await file.close();
    await assert.rejects(async () => node(write, { folder: '../x' }), /not below the run folder/);
  });
});
