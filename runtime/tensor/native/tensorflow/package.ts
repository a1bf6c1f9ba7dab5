/** tfjs's npm package for TensorFlow: its kernels, its binding's sources, and its own binary where it was downloaded. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Missing } from '../missing.ts';

export interface TfjsNode {
  readonly name: string;
  readonly version: string;
  readonly root: string;
  /** the binding that came with the package, and the TensorFlow below it; null: it was not downloaded */
  readonly own: { readonly binding: string; readonly tensorflow: string } | null;
}

const NAMES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/** @throws one sentence, where neither is installed */
export function locatePackage(): TfjsNode {
  const require = createRequire(import.meta.url);
  for (const name of NAMES) {
    let manifest: string;
    try {
      manifest = require.resolve(`${name}/package.json`);
    } catch {
      continue;
    }
    const root = dirname(manifest);
    return { name, root, version: JSON.parse(readFileSync(manifest, 'utf8')).version, own: ownBinary(root) };
  }
  throw new Missing(
    `${NAMES.join(' or ')} is not installed`,
    `npm install --no-save --ignore-scripts ${NAMES[0]}@4.22.0`,
  );
}

/** The newest Node-API that both know. */
function ownBinary(root: string): TfjsNode['own'] {
  const lib = join(root, 'lib');
  if (!existsSync(lib)) return null;
  const versions = readdirSync(lib)
    .map((name) => Number(/^napi-v(\d+)$/.exec(name)?.[1]))
    .filter((version) => version <= Number(process.versions.napi))
    .sort((a, b) => b - a);
  const binding = versions.map((version) => join(lib, `napi-v${version}/tfjs_binding.node`)).find(existsSync);
  const libraries = join(root, 'deps/lib');
  if (!binding || !existsSync(libraries)) return null;
  const file = readdirSync(libraries).find((name) => /^libtensorflow\.so\.\d+\.\d+\.\d+$/.test(name));
  return { binding, tensorflow: file?.slice('libtensorflow.so.'.length) ?? 'of unknown version' };
}
