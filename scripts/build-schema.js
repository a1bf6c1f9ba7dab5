// Writes schema/pipeline.schema.json from the node types of the manifest, for editors.
// Usage: node scripts/build-schema.js [--check]    --check writes nothing and fails when the schema is not fresh
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { register } from 'tsx/esm/api';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'schema', 'pipeline.schema.json');

register();
const from = (path) => import(pathToFileURL(join(root, path)).href);
const { createRegistry } = await from('graph/registry.ts');
const { pipelineSchema } = await from('graph/schema/pipeline.ts');
const registry = await createRegistry();
const types = await registry.load(registry.list().map(({ type }) => type));
const text = `${JSON.stringify(pipelineSchema([...types.values()]), null, 1)}\n`;
if (!process.argv.includes('--check')) {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
} else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
  process.stderr.write('schema/pipeline.schema.json is not fresh: run `node scripts/build-schema.js`\n');
  process.exit(1);
}
