#!/usr/bin/env node
// Starts the compiled command. In a checkout whose sources are newer than dist/ it builds first, so that `npm ci` works
// without install scripts and an edited node is never run stale.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const main = join(root, 'dist', 'runtime', 'cli', 'main.js');
const sources = ['graph', 'nodes', 'runtime'];

function newest(folder) {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) time = Math.max(time, newest(path));
    else if (entry.name.endsWith('.ts')) time = Math.max(time, statSync(path).mtimeMs);
  }
  return time;
}

const isCheckout = existsSync(join(root, 'runtime', 'cli', 'main.ts'));
const stamp = join(root, 'dist', '.built');
const builtAt = existsSync(stamp) ? statSync(stamp).mtimeMs : 0;
if (isCheckout && Math.max(...sources.map((folder) => newest(join(root, folder)))) > builtAt) {
  process.stderr.write('building pipe …\n');
  const build = spawnSync(process.execPath, [join(root, 'scripts', 'build.js')], { stdio: ['ignore', 2, 2] });
  if (build.status !== 0) {
    process.stderr.write('pipe could not be built; run `npm ci`, then `npm run build`, and read what it says\n');
    process.exit(1);
  }
}
if (!existsSync(main)) {
  process.stderr.write(`pipe: ${main} is missing; reinstall the package\n`);
  process.exit(1);
}
await import(main);
