/**
 * Lets plugin files be imported: `import … from 'pipe-ssl'` in them means this very package wherever they lie, and
 * TypeScript is accepted. Called before the first plugin is imported, in the main thread and in each worker.
 */

import { register } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const extension = extname(fileURLToPath(import.meta.url));

/** Hooks run on a thread of their own, so they are handed over as text. */
const resolver = `
let index;
export const initialize = (data) => { index = data.index; };
export const resolve = (specifier, context, next) =>
  specifier === 'pipe-ssl' ? { url: index, shortCircuit: true } : next(specifier, context);
`;

let enabled = false;

export async function enablePlugins(): Promise<void> {
  if (enabled) return;
  enabled = true;
  const stripsTypes = Boolean((process.features as { typescript?: unknown }).typescript);
  if (extension !== '.ts' && !stripsTypes) (await import('tsx/esm/api')).register();
  const index = new URL(`../index${extension}`, import.meta.url).href;
  register(`data:text/javascript,${encodeURIComponent(resolver)}`, { data: { index } });
}
