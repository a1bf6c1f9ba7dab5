/** Compile the binding of tfjs's npm package against the TensorFlow of this machine. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BuildOptions } from '../build.ts';
import { cacheFolder } from '../cache.ts';
import { compile } from '../compile.ts';
import { findToolchain, type Toolchain } from '../toolchain.ts';
import { type Libtensorflow, locateTensorflow } from './locate.ts';
import { fetchPackage, locatePackage, type TfjsNode } from './package.ts';

/** Path of the binding for this TensorFlow, this package and this Node, built or not. */
export function bindingPath(
  tensorflow: Libtensorflow,
  tfjs: TfjsNode,
  environment: NodeJS.ProcessEnv = process.env,
): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([tensorflow.libraries, tensorflow.version]));
  hash.update(JSON.stringify([process.platform, process.arch, process.versions.modules]));
  const sources = join(tfjs.root, 'binding');
  for (const name of readdirSync(sources).sort()) hash.update(name).update(readFileSync(join(sources, name)));
  const folder = `${tensorflow.version.join('.')}-${hash.digest('hex').slice(0, 16)}`;
  return join(cacheFolder(environment), 'tensorflow', folder, 'tfjs_binding.node');
}

/**
 * Build the binding, or find it built: less than a minute the first time. Safe in several processes at once. The npm
 * package whose binding it is is fetched where npm has left it out.
 * @returns path of the binding
 * @throws one sentence about what is missing, or the compiler's first error
 */
export async function buildTensorflow({ log, force = false }: BuildOptions): Promise<string> {
  const tensorflow = locateTensorflow();
  const tfjs = locatePackage() ?? (await fetchPackage(log));
  const version = tensorflow.version.join('.');
  const target = bindingPath(tensorflow, tfjs);
  if (existsSync(target) && !force) {
    log(`the binding for TensorFlow ${version} is built: ${target}`);
    return target;
  }
  const purpose = `TensorFlow ${version}`;
  const toolchain = findToolchain({ purpose, standard: 'c++17', gcc: 9, clang: 9 });
  log(`building the binding of ${tfjs.name} ${tfjs.version} for TensorFlow ${version} at ${tensorflow.root}`);
  await compile(toolchain.compiler, 'the TensorFlow binding', target, (output) =>
    compilerArguments(tensorflow, tfjs, toolchain, output),
  );
  log(`built ${target}`);
  return target;
}

function compilerArguments(
  { include, libraries }: Libtensorflow,
  { root }: TfjsNode,
  { standard, nodeHeaders }: Toolchain,
  output: string,
): string[] {
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(root, 'binding', name));
  return [
    ...['-shared', '-fPIC', '-O2', `-std=${standard}`, '-DNAPI_VERSION=8'],
    ...['-I', nodeHeaders, '-I', join(root, 'binding'), '-isystem', include],
    ...sources,
    ...['-o', output, ...libraries, `-Wl,-rpath,${dirname(libraries[0])}`],
  ];
}
