// Loads batches with the compiled package; prints what the sources must give too.
import { createHash } from 'node:crypto';
import { createRegistry } from '../../../dist/graph/registry.js';
import { createLoader } from '../../../dist/runtime/data/loader.js';

const uses = JSON.parse(process.argv[2]);
const registry = await createRegistry();
const types = new Map();
for (const type of uses.map(({ type }) => type)) {
  types.set(type, { declaration: (await registry.load([type])).get(type), module: registry.find(type).module });
}
const [dataset, ...rest] = uses;
const collator = rest.pop();
const index = await types.get(dataset.type).declaration.scan(dataset);
const options = {
  name: 'batch',
  dataset,
  index,
  transforms: rest,
  collator,
  types,
  training: true,
  seed: 0,
  workers: 2,
};
const loader = createLoader(options);
const hash = createHash('sha256');
for await (const { arrays, release } of loader.batches(0)) {
  for (const { data } of Object.values(arrays).flat())
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  release();
}
await loader.dispose();
process.stdout.write(hash.digest('hex'));
