import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { availableBackends, backendNames } from '../../runtime/tensor/backend.ts';
import { addonPath } from '../../runtime/tensor/native/cache.ts';
import { locateLibtorch } from '../../runtime/tensor/native/locate.ts';
import { pipe } from './support.ts';

describe('pipe backends', () => {
  it('lists every backend, with what it runs on or what would add it', async () => {
    const { code, stdout } = await pipe('backends', '--no-speed', '--json');
    assert.equal(code, 0);
    const rows = JSON.parse(stdout) as { name: string; available: boolean; device?: string; cure?: string }[];
    assert.deepEqual(
      rows.map(({ name }) => name),
      backendNames,
    );
    for (const row of rows) assert.ok(row.available ? row.device : row.cure, row.name);
    const table = (await pipe('backends', '--no-speed')).stdout.trimEnd().split('\n');
    assert.equal(table.length, rows.length);
    rows.forEach(({ name, available, cure }, i) => {
      assert.ok(table[i].startsWith(`${available ? '✓' : '✗'} ${name}`), table[i]);
      if (!available) assert.ok(table[i].endsWith(`to add it: ${cure}`), table[i]);
    });
  });

  it('a backend that is there but does not run is listed as missing, with the reason, and hides no other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'backends-'));
    const saved = { ...process.env };
    try {
      const file = (path: string, text: string): void => {
        mkdirSync(join(folder, path, '..'), { recursive: true });
        writeFileSync(join(folder, path), text);
      };
      for (const name of ['libtorch_cpu.so', 'libc10.so']) file(`libtorch/lib/${name}`, '');
      file('libtorch/include/ATen/core/Tensor.h', '');
      const parts = ['MAJOR 2', 'MINOR 13', 'PATCH 0'].map((part) => `#define TORCH_VERSION_${part}\n`);
      file('libtorch/include/torch/headeronly/version.h', parts.join(''));
      process.env.LIBTORCH = join(folder, 'libtorch');
      process.env.PIPE_CACHE = join(folder, 'cache');
      const addon = addonPath(locateLibtorch());
      mkdirSync(dirname(addon), { recursive: true });
      writeFileSync(addon, 'not an add-on');
      const { code, stdout } = await pipe('backends', '--json');
      assert.equal(code, 0);
      const rows = JSON.parse(stdout) as { name: string; available: boolean; reason?: string; speed?: unknown }[];
      const byName = new Map(rows.map((row) => [row.name, row]));
      assert.equal(byName.get('torch')?.available, false);
      assert.match(byName.get('torch')?.reason ?? '', /it is there but does not run \(.*torch\.node does not load/);
      assert.ok(byName.get('wasm')?.available && byName.get('wasm')?.speed, 'wasm is measured');

      // a file that should be a folder, and the like
      rmSync(join(folder, 'libtorch/include/torch/headeronly/version.h'));
      mkdirSync(join(folder, 'libtorch/include/torch/headeronly/version.h'));
      const broken = (await availableBackends()).find(({ name }) => name === 'torch');
      assert.equal(broken?.available, false);
      assert.match(broken?.reason ?? '', /EISDIR/);
    } finally {
      process.env = saved;
      rmSync(folder, { recursive: true });
    }
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
