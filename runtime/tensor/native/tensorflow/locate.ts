/** Find a TensorFlow to build against: its C headers, its libraries, its version. */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Missing } from '../missing.ts';
import { pythonPackage } from '../python.ts';

export interface Libtensorflow {
  readonly root: string;
  /** major, minor, patch */
  readonly version: readonly [number, number, number];
  readonly include: string;
  /** full paths: the C API, and what it rests on */
  readonly libraries: readonly [string, string];
  /** built for NVIDIA's GPUs, as far as it says so */
  readonly cuda: boolean;
}

const OLDEST = [2, 9] as const; // what the npm package's own binary is
const CURE = 'install TensorFlow (pip install tensorflow), or set LIBTENSORFLOW to the folder of a libtensorflow';

/**
 * $LIBTENSORFLOW (a folder with include/ and the libraries, in it or in its lib/), else the tensorflow package of
 * $PYTHON, python3 or python, else /usr/local, where the archives of libtensorflow are unpacked.
 * @throws one sentence: no TensorFlow, one without headers or without its C library, or one older than 2.9
 */
export function locateTensorflow(environment: NodeJS.ProcessEnv = process.env): Libtensorflow {
  const chosen = environment.LIBTENSORFLOW;
  if (chosen) return inspect(chosen, 'LIBTENSORFLOW');
  const packaged = pythonPackage('tensorflow', environment);
  if (packaged) return inspect(packaged, "Python's tensorflow");
  if (findLibraries('/usr/local')) return inspect('/usr/local', "the system's libtensorflow");
  throw new Missing('TensorFlow was not found', CURE);
}

function inspect(folder: string, origin: string): Libtensorflow {
  if (!existsSync(folder)) throw new Missing(`${origin} names ${folder}, which does not exist`, CURE);
  const root = realpathSync(folder);
  const libraries = findLibraries(root);
  if (!libraries) throw new Missing(`${origin} at ${root} has no libtensorflow library`, CURE);
  const include = join(root, 'include');
  if (!existsSync(join(include, 'tensorflow/c/eager/c_api.h')))
    throw new Missing(`${origin} at ${root} has libraries but no C headers`, CURE);
  const version = findVersion(root, libraries[0]);
  if (!version) throw new Missing(`${origin} at ${root} does not say its version`, CURE);
  const [major, minor] = version;
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    throw new Missing(`${origin} at ${root} is version ${version.join('.')}, older than ${OLDEST.join('.')}`, CURE);
  return { root, version, include, libraries, cuda: isForCuda(root) };
}

function findLibraries(root: string): [string, string] | null {
  for (const folder of [root, join(root, 'lib')]) {
    const first = (...names: string[]) => names.map((name) => join(folder, name)).find(existsSync);
    const api = first('libtensorflow_cc.so.2', 'libtensorflow.so.2', 'libtensorflow.so');
    const framework = first('libtensorflow_framework.so.2', 'libtensorflow_framework.so');
    if (api && framework) return [api, framework];
  }
  return null;
}

/** In the name of a Python package's record, else of the library itself; headers do not always say. */
function findVersion(root: string, library: string): [number, number, number] | null {
  const record = /^(?:tensorflow(?:_cpu|_gpu|_intel|_rocm|_cpu_aws)?|tf_nightly(?:_cpu)?)-(\d+)\.(\d+)\.(\d+)/;
  const beside = readdirSync(dirname(root)).filter((name) => name.endsWith('.dist-info'));
  const file = /\.so\.(\d+)\.(\d+)\.(\d+)$/;
  const found = beside.map((name) => record.exec(name)).find(Boolean) ?? file.exec(basename(realpathSync(library)));
  return found ? [Number(found[1]), Number(found[2]), Number(found[3])] : null;
}

function isForCuda(root: string): boolean {
  const facts = join(root, 'python/platform/build_info.py');
  return existsSync(facts) && /is_cuda_build['"]?\s*[:=,]\s*True/.test(readFileSync(facts, 'utf8'));
}
