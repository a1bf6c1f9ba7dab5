import assert from 'node:assert/strict';
import { backendNames } from '../../runtime/tensor/backend.ts';
import { pipe } from './support.ts';

describe('pipe backends', () => {
  it('lists every backend, with what it runs on or what would add it', async () => {
    const { code, stdout } = await pipe('backends', '--json');
    assert.equal(code, 0);
    const rows = JSON.parse(stdout) as { name: string; available: boolean; device?: string; cure?: string }[];
    assert.deepEqual(
      rows.map(({ name }) => name),
      backendNames,
    );
    for (const row of rows) assert.ok(row.available ? row.device : row.cure, row.name);
    const table = (await pipe('backends')).stdout.trimEnd().split('\n');
    assert.equal(table.length, rows.length);
    rows.forEach(({ name, available, cure }, i) => {
      assert.ok(table[i].startsWith(`${available ? '✓' : '✗'} ${name}`), table[i]);
      if (!available) assert.ok(table[i].endsWith(`to add it: ${cure}`), table[i]);
    });
  });

  it('measures one', async () => {
    const { code, stdout } = await pipe('backends', 'measure', 'wasm', '--json');
    assert.equal(code, 0);
    const { name, device, speed } = JSON.parse(stdout);
    assert.equal(name, 'wasm');
    assert.match(device, /SIMD/);
    assert.ok(speed.matrixProduct > 0 && speed.convolutionStep > 0);
  });

  it('says which there are, and what is missing, in a sentence', async () => {
    const unknown = await pipe('backends', 'measure', 'tpu');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /^pipe: there is no backend 'tpu'; known: .*tensorflow, .*wasm/m);
    const choice = await pipe('backends', 'build', 'wasm');
    assert.equal(choice.code, 2);
    assert.match(choice.stderr, /Allowed choices are torch, tensorflow/);
    const { stdout } = await pipe('backends', '--help');
    for (const part of ['list', 'measure', 'build']) assert.match(stdout, new RegExp(`^ {2}${part}`, 'm'));
  });

  it('a missing TensorFlow ends the build with its cure', async () => {
    const before = process.env.LIBTENSORFLOW;
    process.env.LIBTENSORFLOW = '/nowhere';
    try {
      const { code, stderr } = await pipe('backends', 'build', 'tensorflow');
      assert.equal(code, 1);
      assert.match(stderr, /^pipe: LIBTENSORFLOW names \/nowhere, which does not exist: install TensorFlow/m);
    } finally {
      if (before === undefined) delete process.env.LIBTENSORFLOW;
      else process.env.LIBTENSORFLOW = before;
    }
  });
});
