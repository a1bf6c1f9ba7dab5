/** Approaches with a memory between steps: killed in the middle of an epoch and resumed, they end as if nothing had been. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '../../runtime/random.ts';
import { startPipe, withFolder } from '../cli/support.ts';

/** 5 steps an epoch, three epochs, a checkpoint at every second step */
const small = {
  knobs: { train_images: 80, test_images: 16, epochs: 3, batch_size: 16, size: 16 },
  run: { evaluate: [] },
  hooks: [{ type: 'hook/checkpoint', every: 10, iterations: 2 }],
};

const approaches: Readonly<Record<string, object>> = {
  'MoCo: queue and momentum encoder': {
    extends: 'quick/moco',
    ...small,
    knobs: { ...small.knobs, crop: 16, queue_size: 64 },
  },
  'SwAV with a queue': {
    extends: 'quick/swav',
    ...small,
    knobs: { ...small.knobs, size_crops: [16], prototypes: [8] },
    nodes: { loss: { queue: { queue_length: 32, start_iter: 3 } } },
  },
  'DeepCluster-v2: memory and clusters': {
    extends: 'quick/deepclusterv2',
    ...small,
    knobs: { ...small.knobs, size_crops: [16] },
    nodes: { loss: { num_clusters: [6, 6], kmeans_iters: 3 } },
  },
  'NPID: memory bank': {
    extends: 'quick/npid',
    ...small,
    knobs: { ...small.knobs, crop: 16 },
    nodes: { loss: { loss_type: 'nce', num_negatives: 20 } },
  },
};

const checkpoints = (out: string): string[] => {
  const folder = join(out, 'checkpoints');
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : [];
};

/** Runs the pipeline; kill -9 so many ms after the checkpoint of this step is there. */
async function train(file: string, out: string, kill?: { step: number; delay: number }): Promise<number | null> {
  let watch: NodeJS.Timeout | undefined;
  const { code, stderr } = await startPipe(['run', file, '--out', out, '--device', 'wasm', '--workers', '0'], {
    onStart(child) {
      if (!kill) return;
      watch = setInterval(() => {
        if (!checkpoints(out).some((name) => Number(/\d+/.exec(name)?.[0]) >= kill.step)) return;
        clearInterval(watch);
        setTimeout(() => child.kill('SIGKILL'), kill.delay);
      }, 5);
    },
  });
  clearInterval(watch);
  assert.ok(code === 0 || (kill && code === null), `the run ended with ${code}: ${stderr}`);
  return code;
}

/** Every file of the last checkpoint that holds tensors: weights, optimizer, memories. */
function final(out: string): Record<string, string> {
  const name = checkpoints(out).find((entry) => entry.endsWith('-final'));
  assert.ok(name, `no final checkpoint among ${checkpoints(out)}`);
  const folder = join(out, 'checkpoints', name);
  const files = readdirSync(folder, { recursive: true }) as string[];
  const tensors = files.filter((file) => file.endsWith('.safetensors')).sort();
  assert.ok(tensors.length >= 2, `${folder} holds ${files}`);
  return Object.fromEntries(tensors.map((file) => [file, readFileSync(join(folder, file)).toString('base64')]));
}

describe('a run killed in the middle of an epoch and resumed', () => {
  const delays = createRandom(Date.now(), 'kill');
  for (const [name, document] of Object.entries(approaches)) {
    it(
      `has the weights and memories of one that was not: ${name}`,
      withFolder(async (folder) => {
        const file = join(folder, 'small.json');
        writeFileSync(file, JSON.stringify({ name: 'small', ...document }));
        const [whole, out] = [join(folder, 'whole'), join(folder, 'killed')];
        await train(file, whole);
        const moments: string[] = [];
        for (const step of [2, 8]) {
          const kill = { step, delay: delays.integer(30) };
          assert.equal(await train(file, out, kill), null, 'the run ended before it was killed');
          moments.push(`killed ${kill.delay} ms after the checkpoint of step ${step}`);
        }
        await train(file, out);
        const [got, want] = [final(out), final(whole)];
        assert.deepEqual(Object.keys(got), Object.keys(want));
        const differing = Object.keys(want).filter((tensors) => got[tensors] !== want[tensors]);
        assert.deepEqual(differing, [], moments.join(', '));
      }),
    ).timeout(300_000);
  }
});
