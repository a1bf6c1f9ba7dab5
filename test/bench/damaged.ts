/**
 * Thousands of damaged files through the loader: nothing may crash, hang, or be lost. Prints the reasons by number.
 * Usage: node --import=tsx test/bench/damaged.ts [files] [seed]
 */
import { temporaryFolder } from '../data/fixtures.ts';
import { writeMutants } from '../data/mutants.ts';
import { loaderOf } from '../data/setup.ts';

const [files = 5000, seed = 1] = process.argv.slice(2).map(Number);
const { path, remove } = temporaryFolder();
await writeMutants(path, files, seed);
const reasons = new Map<string, number>();
const loader = await loaderOf({
  dataset: { type: 'dataset/disk_folder', path, pixel_limit: 4_000_000 },
  transforms: [{ type: 'transform/resize', size: [32, 32] }, { type: 'transform/to_tensor' }],
  collator: { type: 'collator/default', batch_size: 50 },
  workers: 2,
  onEvent: (event) => {
    if (event.type === 'notice') process.stdout.write(`${event.message}\n`);
    if (event.type !== 'bad_sample') return;
    const reason = event.reason.replace(/\d{6}\.[a-z]+/, 'FILE').replaceAll(/\d+/g, 'N');
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  },
});
for await (const batch of loader.batches(0)) batch.release();
const { images, bad } = loader.stats();
process.stdout.write(`${images} of ${files} files, ${bad} bad\n`);
for (const [reason, count] of [...reasons].sort(([, a], [, b]) => b - a))
  process.stdout.write(`${count} × ${reason}\n`);
await loader.dispose();
await remove();
if (images !== files) process.exitCode = 1;
