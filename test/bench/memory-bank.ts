/**
 * Milliseconds of a step of the losses with a memory, by the size of the memory:
 * node --import=tsx test/bench/memory-bank.ts [device]. A step should cost the same whatever the size.
 */
import deepCluster from '../../nodes/losses/deepclusterv2.ts';
import nce from '../../nodes/losses/nce_with_memory.ts';
import { createState } from '../../runtime/engine/state.ts';
import type { NodeType } from '../../runtime/node.ts';
import { openBackend } from '../../runtime/tensor/backend.ts';
import { createInstance, nodeContext } from '../support/node-context.ts';

const [device = 'wasm'] = process.argv.slice(2);
const WIDTH = 128;
const BATCH = 32;
const STEPS = 10;
const backend = await openBackend(device);
const { tf } = backend;

async function measure(definition: NodeType, params: object, inputs: () => Record<string, unknown>, samples: number) {
  const state = createState(backend);
  const opening = performance.now();
  const instance = createInstance(
    definition,
    nodeContext(backend, definition, {
      params: params as Record<string, unknown>,
      symbols: { V: 2, D: WIDTH },
      run: { batchSize: BATCH, trainSamples: samples, stepsPerEpoch: Math.ceil(samples / BATCH) },
      state,
    }),
  );
  const opened = performance.now() - opening;
  const times: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    await backend.scopeAsync(async () => {
      const given = inputs();
      const start = performance.now();
      const step = { phase: 'train', training: true, iteration: i, epoch: 0 };
      const { loss } = (await instance.run(given, step)) as { loss: { data(): Promise<unknown> } };
      await loss.data();
      times.push(performance.now() - start);
    });
  }
  state.dispose();
  times.sort((a, b) => a - b);
  const figure = (ms: number) => ms.toFixed(1).padStart(10);
  const median = times[STEPS >> 1];
  process.stdout.write(`${definition.type.padEnd(24)}${String(samples).padStart(9)} entries: `);
  process.stdout.write(`${figure(median)} ms a step, ${figure(opened)} ms to open\n`);
}

const indices = (rows: number, samples: number) =>
  tf.tensor1d(
    Int32Array.from({ length: rows }, (_, i) => (i % BATCH) * Math.floor(samples / BATCH)),
    'int32',
  );

for (const samples of [12_800, 128_000, 1_281_167]) {
  const memory = () => ({ outputs: [tf.randomNormal([BATCH, WIDTH])], index: indices(BATCH, samples) });
  await measure(nce as NodeType, { num_negatives: 4096 }, memory, samples);
  const crops = () => ({ embeddings: tf.randomNormal([2 * BATCH, WIDTH]), index: indices(2 * BATCH, samples) });
  await measure(deepCluster as NodeType, { num_clusters: [3000, 3000, 3000] }, crops, samples);
}
