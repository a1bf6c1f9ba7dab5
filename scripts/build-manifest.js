// Writes nodes/manifest.json: node type → its file, role, aliases and description, so that a command imports only the
// node types its document uses. Files in nodes/ without a default export are parts that node types share.
// Usage: node scripts/build-manifest.js [--check]    --check writes nothing and fails when the manifest is not fresh
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { register } from 'tsx/esm/api';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'nodes', 'manifest.json');

register();
const { buildManifest } = await import(pathToFileURL(join(root, 'graph', 'manifest.ts')).href);
const { text, errors } = await buildManifest(root);
if (errors.length > 0) fail(errors.join('\n'));
if (!process.argv.includes('--check')) writeFileSync(target, text);
else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
  fail('nodes/manifest.json is not fresh: run `node scripts/build-manifest.js`');
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
