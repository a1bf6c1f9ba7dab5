/** tfjs's npm package for TensorFlow: its kernels, its binding's sources, and its own binary where it was downloaded. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../../package.ts';
import { cacheFolder } from '../cache.ts';
import { Missing } from '../missing.ts';

export interface TfjsNode {
  readonly name: string;
  readonly version: string;
  readonly root: string;
  /** the binding that came with the package, and the TensorFlow below it; null: it was not downloaded */
  readonly own: { readonly binding: string; readonly tensorflow: string } | null;
}

const NAMES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/** Where {@link fetchPackage} puts it. npm leaves an optional dependency out when its install script cannot download. */
const fetchedFolder = (environment: NodeJS.ProcessEnv): string =>
  join(cacheFolder(environment), 'tensorflow', 'package');

/** The package that was fetched, else the one installed beside this one; null: neither. */
export function locatePackage(environment: NodeJS.ProcessEnv = process.env): TfjsNode | null {
  for (const from of [join(fetchedFolder(environment), 'package.json'), import.meta.url])
    for (const name of NAMES) {
      let manifest: string;
      try {
        manifest = createRequire(from).resolve(`${name}/package.json`);
      } catch {
        continue;
      }
      const root = dirname(manifest);
      return { name, root, version: JSON.parse(readFileSync(manifest, 'utf8')).version, own: ownBinary(root) };
    }
  return null;
}

/**
 * Have npm put the package into the cache folder, without its own binary. It appears whole or not at all.
 * @throws one sentence, where npm fails
 */
export async function fetchPackage(
  log: (line: string) => void,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<TfjsNode> {
  const { optionalDependencies } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  const wanted = `${NAMES[0]}@${optionalDependencies[NAMES[0]]}`;
  const target = fetchedFolder(environment);
  const draft = `${target}.${randomUUID()}`;
  log(`fetching ${wanted} into ${target}`);
  mkdirSync(draft, { recursive: true });
  try {
    const flags = ['--prefix', draft, '--ignore-scripts', '--no-save', '--no-audit', '--no-fund'];
    await promisify(execFile)('npm', ['install', ...flags, wanted], { cwd: draft, env: environment });
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // another process may have been first
    if (!existsSync(target)) throw new Missing(`npm could not fetch ${wanted}`, firstLine(error));
  }
  const found = locatePackage(environment);
  if (!found) throw new Missing(`${target} has no ${wanted}`, `remove ${target} and try again`);
  return found;
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  const lines = (stderr || message).split('\n').filter((line) => line.trim() && !/^npm (warn|error code)/.test(line));
  return (lines[0] ?? message).replace(/^npm error\s*/, '').trim();
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
