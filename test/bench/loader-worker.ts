/**
 * Our side of loader.ts. Prints "ready"; for each line read, goes once through the folder and prints CPU milliseconds
 * per image (user and system, all threads) and images per second.
 * Usage: node --import=tsx test/bench/loader-worker.ts RECIPE FOLDER WORKERS
 */
import { createInterface } from 'node:readline';
import { loaderOf } from '../data/setup.ts';
import { recipes } from './loader-recipes.ts';

const [name, path, workers] = process.argv.slice(2);
const { transforms, collator, memory } = recipes[name];
const loader = await loaderOf({
  dataset: { type: 'dataset/disk_folder', path },
  transforms,
  collator: { type: `collator/${collator}`, batch_size: 50 },
  workers: Number(workers),
  ...(memory ? {} : { cacheBytes: 0 }),
});

let epoch = 0;
async function once(): Promise<void> {
  for await (const batch of loader.batches(epoch++)) batch.release();
}

await once(); // threads start, code warms up, small pictures are kept
process.stdout.write('ready\n');
for await (const _ of createInterface({ input: process.stdin })) {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await once();
  const { user, system } = process.cpuUsage(cpu);
  const perSecond = (1000 * loader.images) / (performance.now() - begun);
  process.stdout.write(`${(user + system) / 1000 / loader.images} ${perSecond}\n`);
}
await loader.dispose();
