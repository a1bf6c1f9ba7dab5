// Builds dist/: the node manifest, the compiled TypeScript, and the files that are read at run time.
// Usage: node scripts/build.js
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
/** read at run time beside the module that uses them */
const assets = /\.(json|wasm|html|css|svg|cc|h)$/;

function run(script, ...args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

function copyAssets(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) copyAssets(path);
    else if (assets.test(entry.name)) {
      const target = join(dist, relative(root, path));
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(path, target);
    }
  }
}

function typescript() {
  try {
    const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
    return join(dirname(manifest), 'bin', 'tsc');
  } catch {
    process.stderr.write('TypeScript is not installed: run `npm ci` with development dependencies\n');
    process.exit(1);
  }
}

/** TypeBox is 300 modules; as one it is imported in a tenth of the time, which `pipe check` feels. */
function bundleTypebox() {
  buildSync({
    stdin: { contents: "export * from '@sinclair/typebox';", resolveDir: root },
    bundle: true,
    format: 'esm',
    platform: 'node',
    minify: true,
    outfile: join(root, 'vendor', 'typebox.js'),
  });
  writeFileSync(join(root, 'vendor', 'typebox.d.ts'), "export * from '@sinclair/typebox';\n");
}

bundleTypebox();
run('scripts/build-manifest.js');
run('scripts/build-schema.js');
run('scripts/build-docs.js');
rmSync(dist, { recursive: true, force: true });
run(typescript(), '-p', 'tsconfig.build.json');
for (const folder of ['graph', 'nodes', 'runtime']) copyAssets(join(root, folder));
writeFileSync(join(dist, '.built'), '');
