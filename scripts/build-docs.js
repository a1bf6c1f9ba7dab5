// Writes docs/nodes/: the reference pages of the node types and of the forms that stand for nodes, from their declarations.
// Usage: node scripts/build-docs.js [--check]    --check writes nothing and fails when a page is not fresh
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { register } from 'tsx/esm/api';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'docs', 'nodes');
const load = (path) => import(pathToFileURL(join(root, path)).href);

register();
const { createRegistry } = await load('graph/registry.ts');
const { FORMS } = await load('graph/forms.ts');
const { referencePages } = await load('graph/reference.ts');
const registry = await createRegistry();
const types = await registry.load(registry.list().map(({ type }) => type));
const pages = referencePages([...types.values(), ...FORMS]);
const present = existsSync(folder) ? readdirSync(folder) : [];

if (process.argv.includes('--check')) {
  const stale = [...pages]
    .filter(([name, text]) => !existsSync(join(folder, name)) || readFileSync(join(folder, name), 'utf8') !== text)
    .map(([name]) => name);
  stale.push(...present.filter((name) => !pages.has(name)));
  if (stale.length > 0) {
    process.stderr.write(`docs/nodes is not fresh (${stale.join(', ')}): run \`node scripts/build-docs.js\`\n`);
    process.exit(1);
  }
} else {
  mkdirSync(folder, { recursive: true });
  for (const name of present) if (!pages.has(name)) rmSync(join(folder, name));
  for (const [name, text] of pages) writeFileSync(join(folder, name), text);
}
