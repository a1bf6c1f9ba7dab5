import assert from 'node:assert/strict';
import * as disk from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckpointContent, createCheckpointWriter, listCheckpoints } from '../../runtime/train/checkpoint.ts';
import type { Files } from '../../runtime/train/files.ts';
import type { Position } from '../../runtime/train/manifest.ts';
import { findCheckpoint, openCheckpoint } from '../../runtime/train/resume.ts';
import { withFolder } from '../engine/fixtures/graph.ts';

const position = (iteration: number, change: Partial<Position> = {}): Position => ({
  epoch: 0,
  phase: 0,
  step: iteration,
  iteration,
  trainingPhases: 1,
  phasesDone: 0,
  lossSum: 0,
  ...change,
});

const content = (iteration: number, change: Partial<CheckpointContent> = {}): CheckpointContent => ({
  reason: 'test',
  final: false,
  position: position(iteration),
  trainSamples: 8,
  numbers: { 'center.seen': iteration },
  hooks: { save: { written: 1 } },
  metricsBytes: 0,
  signature: { nodes: {}, run: {} },
  document: { name: 'test' },
  model: [{ name: 'trunk.w', dtype: 'F32', shape: [1000], read: () => new Float32Array(1000).fill(iteration) }],
  optimizer: [],
  state: [],
  ...change,
});

/** A disk that is full after so many bytes. */
function smallDisk(room: number): Files {
  let left = room;
  return {
    ...disk,
    async open(path: any, flags: any) {
      const handle = await disk.open(path, flags);
      const write = handle.writeFile.bind(handle);
      handle.writeFile = async (data: any) => {
        left -= data.length;
        if (left < 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
        return write(data);
      };
      return handle;
    },
  } as Files;
}

const names = async (folder: string) => (await disk.readdir(folder)).filter((name) => name.startsWith('step-')).sort();

describe('checkpoints', () => {
  it('are found again, newest first, with all they hold', () =>
    withFolder(async (folder) => {
      const writer = createCheckpointWriter(folder, 'pipe 1.2.3');
      await writer.write(content(1), 0);
      const path = await writer.write(content(2), 0);
      const { found, damaged } = await findCheckpoint(folder);
      assert.deepEqual(damaged, []);
      assert.equal(found!.path, path);
      const { manifest } = found!;
      assert.equal(manifest.package, 'pipe 1.2.3');
      assert.deepEqual(manifest.position, position(2));
      assert.deepEqual(manifest.numbers, { 'center.seen': 2 });
      assert.deepEqual(manifest.hooks, { save: { written: 1 } });
      assert.deepEqual(Object.keys(manifest.files), [
        'model.safetensors',
        'optimizer.safetensors',
        'state.safetensors',
      ]);
      assert.equal(await disk.readFile(join(folder, 'latest'), 'utf8'), 'step-0000000002-epoch-0000-phase-0-batch-2\n');
    }));

  it('hold numbers that are not finite', () =>
    withFolder(async (folder) => {
      const numbers = { 'a.nan': Number.NaN, 'a.big': Number.NEGATIVE_INFINITY, 'a.small': 1e-300 };
      const change = { numbers, position: position(1, { lossSum: Number.POSITIVE_INFINITY }) };
      await createCheckpointWriter(folder, 'pipe').write(content(1, change), 0);
      const { found } = await findCheckpoint(folder);
      assert.deepEqual(found!.manifest.numbers, numbers);
      assert.equal(found!.manifest.position.lossSum, Number.POSITIVE_INFINITY);
    }));

  it('keep so many, and every final one', () =>
    withFolder(async (folder) => {
      const writer = createCheckpointWriter(folder, 'pipe');
      await writer.write(content(1, { final: true }), 2);
      for (const step of [2, 3, 4, 5]) await writer.write(content(step), 2);
      const found = (await listCheckpoints(folder)).map(({ manifest }) => manifest.position.iteration);
      assert.deepEqual(found, [5, 4, 1]);
    }));

  it('of the same moment take the place of the earlier one', () =>
    withFolder(async (folder) => {
      const writer = createCheckpointWriter(folder, 'pipe');
      await writer.write(content(1), 0);
      await writer.write(content(1, { reason: 'again' }), 0);
      const listed = await listCheckpoints(folder);
      assert.deepEqual(
        listed.map(({ manifest }) => manifest.reason),
        ['again'],
      );
    }));

  it('on a full disk fail with a clear message; the earlier ones stay whole', () =>
    withFolder(async (folder) => {
      await createCheckpointWriter(folder, 'pipe').write(content(1), 1);
      for (const room of [0, 100, 4200, 5200]) {
        const writer = createCheckpointWriter(folder, 'pipe', smallDisk(room));
        await assert.rejects(writer.write(content(2), 1), (error: Error) => {
          assert.equal(error.name, 'CheckpointError');
          assert.match(
            error.message,
            /step-0000000002-.* could not be written to .*: the disk is full\. The newest whole one is step-0000000001-.*Free space/,
          );
          return true;
        });
        assert.deepEqual((await disk.readdir(folder)).sort(), ['latest', 'step-0000000001-epoch-0000-phase-0-batch-1']);
        assert.equal((await findCheckpoint(folder)).found!.manifest.position.iteration, 1);
      }
    }));

  const damages: [string, (path: string) => Promise<unknown>, RegExp][] = [
    [
      'a flipped bit',
      async (path) => {
        const file = join(path, 'model.safetensors');
        const bytes = await disk.readFile(file);
        bytes[bytes.length - 1] ^= 64;
        await disk.writeFile(file, bytes);
      },
      /model\.safetensors was altered/,
    ],
    [
      'a cut file',
      (path) => disk.truncate(join(path, 'model.safetensors'), 100),
      /model\.safetensors has 100 bytes instead of \d+/,
    ],
    ['a missing file', (path) => disk.rm(join(path, 'state.safetensors')), /state\.safetensors is missing/],
    ['a missing manifest', (path) => disk.rm(join(path, 'manifest.json')), /it has no manifest\.json/],
    ['half a manifest', (path) => disk.truncate(join(path, 'manifest.json'), 200), /manifest\.json is damaged/],
    [
      'a manifest without its position',
      async (path) => {
        const file = join(path, 'manifest.json');
        const { position: _, ...rest } = JSON.parse(await disk.readFile(file, 'utf8'));
        await disk.writeFile(file, JSON.stringify(rest));
      },
      /manifest\.json is damaged: \/position/,
    ],
    [
      'a file outside the folder',
      async (path) => {
        const file = join(path, 'manifest.json');
        const manifest = JSON.parse(await disk.readFile(file, 'utf8'));
        manifest.files['../../passwd'] = { bytes: 1, sha256: '' };
        await disk.writeFile(file, JSON.stringify(manifest));
      },
      /names the file \.\.\/\.\.\/passwd, which is not in the folder/,
    ],
  ];
  for (const [what, damage, reason] of damages) {
    it(`with ${what} are passed over, named and moved aside`, () =>
      withFolder(async (folder) => {
        const writer = createCheckpointWriter(folder, 'pipe');
        await writer.write(content(1), 0);
        const newest = await writer.write(content(2), 0);
        await damage(newest);
        await assert.rejects(openCheckpoint(newest), { name: 'CheckpointError', message: reason });
        const { found, damaged } = await findCheckpoint(folder);
        assert.equal(found!.manifest.position.iteration, 1);
        assert.equal(damaged.length, 1);
        assert.match(damaged[0].reason, reason);
        const [name] = (await names(folder)).slice(-1);
        assert.equal(name, `${damaged[0].name}.damaged`);
        assert.deepEqual((await findCheckpoint(folder)).damaged, []);
      }));
  }

  it('of another format are refused and left where they are', () =>
    withFolder(async (folder) => {
      const path = await createCheckpointWriter(folder, 'pipe').write(content(1), 0);
      const file = join(path, 'manifest.json');
      const manifest = JSON.parse(await disk.readFile(file, 'utf8'));
      await disk.writeFile(file, JSON.stringify({ ...manifest, format: 99 }));
      const message = /its format is 99; this version of pipe reads format 1: use the version that wrote it/;
      await assert.rejects(findCheckpoint(folder), { name: 'CheckpointError', message });
      await assert.rejects(openCheckpoint(path), { name: 'CheckpointError', message });
      assert.equal((await disk.stat(path)).isDirectory(), true);
    }));

  it('half replaced when the power went are brought back', () =>
    withFolder(async (folder) => {
      const path = await createCheckpointWriter(folder, 'pipe').write(content(3), 0);
      const [name] = await names(folder);
      await disk.rename(path, join(folder, `.old-${name}`));
      await disk.mkdir(join(folder, `.tmp-${name}-77`));
      const { found } = await findCheckpoint(folder);
      assert.equal(found!.path, path);
      assert.deepEqual((await disk.readdir(folder)).sort(), ['latest', name]);
    }));

  it('are not there in a folder that is not', async () => {
    assert.deepEqual(await findCheckpoint('/does/not/exist'), { found: undefined, damaged: [] });
  });
});
