/** Module hooks of built.js. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url).href;
const SOURCE = /^(index|graph\/.*|nodes\/.*|runtime\/.*)\.ts$/;

export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  const [path, query = ''] = found.url.startsWith(root) ? found.url.slice(root.length).split('?') : [''];
  const source = SOURCE.exec(path);
  if (!source) return found;
  const url = `${root}dist/${source[1]}.js`;
  if (!existsSync(fileURLToPath(url))) throw new Error(`dist has no ${source[1]}.js: run \`npm run build\``);
  return { ...found, url: query ? `${url}?${query}` : url, format: 'module' };
}
