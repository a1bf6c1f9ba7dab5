/** Takes one batch, and must end by itself then. */
import { loaderOf } from '../setup.ts';

const loader = await loaderOf({
  dataset: { type: 'dataset/shapes', length: 300, size: 16 },
  transforms: [{ type: 'transform/to_tensor' }],
  collator: { type: 'collator/default', batch_size: 50 },
  workers: 2,
});
for await (const batch of loader.batches(0)) {
  process.stdout.write(`step ${batch.step}\n`);
  break;
}
if (process.argv[2] === 'true') await loader.dispose();
