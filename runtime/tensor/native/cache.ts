/** Where built add-ons are kept: a folder for each libtorch, source and Node. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Libtorch } from './locate.ts';

export const sources = fileURLToPath(new URL('./src', import.meta.url));

export const cacheFolder = (environment: NodeJS.ProcessEnv): string =>
  environment.PIPE_CACHE ?? join(homedir(), '.cache/pipe-ssl');

/** Path of the add-on for this libtorch and this Node, built or not. */
export function addonPath(libtorch: Libtorch, environment: NodeJS.ProcessEnv = process.env): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([libtorch.root, libtorch.version, libtorch.cxx11Abi, libtorch.cuda, libtorch.gloo]));
  hash.update(JSON.stringify([process.platform, process.arch, process.versions.modules]));
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(cc|h)$/.test(name));
  for (const name of files.sort()) hash.update(name).update(readFileSync(join(sources, name)));
  const folder = `${libtorch.version.join('.')}-${hash.digest('hex').slice(0, 16)}`;
  return join(cacheFolder(environment), 'torch', folder, 'torch.node');
}

export const isBuilt = (libtorch: Libtorch): boolean => existsSync(addonPath(libtorch));
