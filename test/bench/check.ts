/**
 * How long a check takes.
 * - graphs of 1,000 and 10,000 nodes, checked in one process (resolving it apart)
 * - SwAV's pipeline, cold: a process that reads, resolves and checks it, CPU and wall time
 * Usage (after `npm run build`): node --import=tsx --import=./test/bench/built.js test/bench/check.ts
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { checkDocument } from '../../graph/check/check.ts';
import { resolveObject } from '../../graph/document/resolve.ts';
import { createRegistry } from '../../graph/registry.ts';
import { nodeTypes } from '../graph/fixtures/node-types.ts';

/** Chains of nine nodes, each from a dataset to an optimizer. */
function bigDocument(chains: number): unknown {
  const nodes: Record<string, unknown> = {};
  for (let i = 0; i < chains; i++) {
    const at = (name: string) => `${name}${i}`;
    nodes[at('images')] = { type: 'test_dataset/folder', path: './images' };
    nodes[at('crops')] = { type: 'test_transform/crops', from: at('images'), counts: [2, 4], sizes: [64, 32] };
    nodes[at('tensor')] = { type: 'test_transform/to_tensor', from: at('crops') };
    nodes[at('batch')] = { type: 'test_collator/by_size', from: at('tensor'), batch_size: 16 };
    nodes[at('trunk')] = { type: 'test_head/swav', from: at('add'), dims: [128, 64], clusters: [30] };
    nodes[at('pool')] = { type: 'test_model/flat', inputs: { images: `${at('batch')}.images` }, features: 128 };
    nodes[at('add')] = { type: 'test_model/add', inputs: { a: `${at('pool')}.features`, b: `${at('pool')}.features` } };
    nodes[at('loss')] = { type: 'test_loss/swav', inputs: { scores: `${at('trunk')}.scores` } };
    nodes[at('sgd')] = { type: 'test_optimizer/sgd', from: at('loss'), lr: { test_curve: 'cosine', start: 1 } };
  }
  return { nodes };
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const registry = await createRegistry({ types: nodeTypes });
for (const chains of [111, 1111]) {
  const begun = performance.now();
  const resolved = await resolveObject(bigDocument(chains));
  if (resolved._tag === 'Left') throw new Error(resolved.left[0]!.message);
  const ready = performance.now();
  const used = process.cpuUsage();
  const checked = await checkDocument(resolved.right, registry);
  const done = performance.now();
  const { user, system } = process.cpuUsage(used);
  if (checked._tag === 'Left') throw new Error(checked.left[0]!.message);
  const [resolving, checking, cpu] = [ready - begun, done - ready, (user + system) / 1000].map(Math.round);
  console.log(
    `${checked.right.nodes.length} nodes: resolved in ${resolving} ms, checked in ${checking} ms (CPU ${cpu} ms)`,
  );
}

if (existsSync(`${root}dist/.built`)) {
  for (let run = 0; run < 3; run++) {
    const begun = performance.now();
    const { cpu } = spawnCheck();
    console.log(`cold check of SwAV: ${Math.round(performance.now() - begun)} ms wall, ${cpu} ms CPU`);
  }
} else console.log('cold check of SwAV: needs `npm run build`');

function spawnCheck(): { cpu: number } {
  const code = `
    process.on('exit', () => {
      const { user, system } = process.cpuUsage();
      process.stderr.write(String(Math.round((user + system) / 1000)));
    });
    process.argv = [process.execPath, 'pipe', 'check', 'pretrain/swav/swav_8node_resnet', 'data=.'];
    await import(${JSON.stringify(`${root}bin/pipe.js`)});`;
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, encoding: 'utf8' });
  return { cpu: Number(stderr.match(/\d+$/)?.[0]) };
}
