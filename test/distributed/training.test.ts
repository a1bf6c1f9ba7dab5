import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors } from '../../runtime/train/safetensors.ts';
import { classifier, withFolder } from '../engine/fixtures/graph.ts';
import { type LaunchOptions, launch } from './fixtures/launch.ts';

/** The same images per step however many ranks there are. */
function training(ranks: number, run: object = {}, nodes: object = {}, hooks: object[] = []): object {
  const document = classifier({
    nodes: {
      images: { type: 'dataset/shapes', length: 32, size: 12 },
      head: { type: 'test/head', inputs: { features: 'trunk.features' }, classes: 10 },
      ...nodes,
    },
    batch: { batch_size: 8 / ranks },
    run: { epochs: 2, sync_batch_norm: true, ...run },
    hooks,
  }) as { nodes: Record<string, unknown> };
  delete document.nodes.noise;
  return document;
}

const train = (out: string, ranks: number, document: object, device = 'cpu', options: LaunchOptions = {}) =>
  launch('./train.ts', ranks, [out, JSON.stringify(document), device, '60'], options);

async function weights(out: string): Promise<Map<string, Float32Array>> {
  const folder = join(out, 'checkpoints');
  const name = (await readdir(folder)).find((entry) => entry.endsWith('-final'))!;
  const file = await openSafetensors(join(folder, name, 'model.safetensors'));
  const values = new Map<string, Float32Array>();
  for (const [key, { dtype }] of file.tensors) if (dtype === 'F32') values.set(key, await file.readFloats(key));
  await file.close();
  return values;
}

function near(
  actual: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float32Array>,
  by: number,
): void {
  assert.deepEqual([...actual.keys()], [...expected.keys()]);
  for (const [name, values] of expected) {
    for (const [i, value] of values.entries()) {
      const got = actual.get(name)![i];
      assert.ok(Math.abs(got - value) <= by * Math.max(1, Math.abs(value)), `${name}[${i}]: ${got}, expected ${value}`);
    }
  }
}

const losses = (stdout: string): number[] => [...stdout.matchAll(/^loss (.*)$/gm)].map(([, loss]) => Number(loss));

describe('training on several ranks', function () {
  this.timeout(300_000); // up to four processes, on a machine that others use

  it('two and four ranks give the weights of one, with synchronised batch norm', () =>
    withFolder(async (folder) => {
      const run = async (ranks: number, device: string) => {
        const out = join(folder, `${device} ${ranks}`);
        const ends = await train(out, ranks, training(ranks), device);
        for (const { code, stderr } of ends) assert.equal(code, 0, stderr);
        // the loss is the mean over the ranks: each reports the same
        for (const { stdout } of ends) assert.deepEqual(losses(stdout), losses(ends[0].stdout));
        return { weights: await weights(out), losses: losses(ends[0].stdout) };
      };
      const one = await run(1, 'wasm');
      assert.equal(one.losses.length, 8);
      for (const several of [await run(4, 'cpu'), await run(2, 'wasm')]) {
        near(several.weights, one.weights, 1e-5);
        for (const [i, loss] of several.losses.entries()) assert.ok(Math.abs(loss - one.losses[i]) < 1e-5);
      }
    }));

  it('without it ranks normalise on their own, and go another way', () =>
    withFolder(async (folder) => {
      const run = async (name: string, setting: unknown) => {
        const document = training(2, { sync_batch_norm: setting, epochs: 1 });
        const ends = await train(join(folder, name), 2, document);
        for (const { code, stderr } of ends) assert.equal(code, 0, stderr);
        return losses(ends[0].stdout);
      };
      const alone = await run('alone', false);
      assert.deepEqual(await run('groups of one', { group_size: 1 }), alone);
      assert.notDeepEqual(await run('groups of two', { group_size: 2 }), alone);
    }));

  it('a killed rank ends the others within the limit, named', () =>
    withFolder(async (out) => {
      let killed = 0;
      const ends = await train(out, 2, training(2, { epochs: 2000, sync_batch_norm: false }), 'cpu', {
        onOutput(rank, text, children) {
          if (rank !== 0 || killed > 0 || !text.includes('loss')) return;
          killed = performance.now();
          children[1].kill('SIGKILL');
        },
      });
      assert.equal(ends[1].signal, 'SIGKILL');
      assert.equal(ends[0].code, 1);
      assert.match(ends[0].stderr, /rank 1 \(.*process \d+\) is gone/);
    }));
});
