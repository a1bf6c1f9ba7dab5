/**
 * Lets plugin files be imported: `import … from 'pipe-ssl'` in them means this very package wherever they lie, and
 * TypeScript is accepted as an ES module. Called before the first plugin is imported, in the main thread and in each
 * worker.
 */
import { createRequire, register } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const extension = extname(fileURLToPath(import.meta.url));

/** Module hooks run on a thread of their own, so they are handed over as text. */
const hooks = `
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
let index;
let transform;
export const initialize = async (data) => {
  index = data.index;
  ({ transform } = (await import(data.esbuild)).default);
};
export const resolve = (specifier, context, next) => {
  if (specifier === 'pipe-ssl') return { url: index, shortCircuit: true };
  if (/^[.]{1,2}[/].*[.]js$/.test(specifier) && context.parentURL?.endsWith('.ts')) {
    const written = new URL(specifier.replace(/js$/, 'ts'), context.parentURL);
    if (existsSync(written)) return { url: written.href, shortCircuit: true };
  }
  return next(specifier, context);
};
export const load = async (url, context, next) => {
  if (!url.startsWith('file:') || !/[.]m?ts$/.test(url)) return next(url, context);
  const sourcefile = fileURLToPath(url);
  const { code } = await transform(await readFile(sourcefile, 'utf8'),
    { loader: 'ts', format: 'esm', target: 'node20', sourcemap: 'inline', sourcefile });
  return { format: 'module', source: code, shortCircuit: true };
};
`;

let enabled = false;

export function enablePlugins(): void {
  if (enabled) return;
  enabled = true;
  const index = new URL(`../index${extension}`, import.meta.url).href;
  const esbuild = pathToFileURL(createRequire(import.meta.url).resolve('esbuild')).href;
  register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: { index, esbuild } });
}
