/** Find a libtorch to build against: its headers, its libraries, its version. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { Missing } from './missing.ts';
import { pythonPackage } from './python.ts';

export interface Libtorch {
  readonly root: string;
  /** major, minor, patch */
  readonly version: readonly [number, number, number];
  readonly includes: readonly string[];
  readonly libraries: string;
  /** on the compiler's and the loader's own search paths */
  readonly systemWide: boolean;
  /** built with GCC's C++11 ABI; wheels before 2.6 were not */
  readonly cxx11Abi: boolean;
  readonly cuda: boolean;
  /** c10d with Gloo, and its headers; without it ranks exchange tensors by the project's own transport */
  readonly gloo: boolean;
}

const OLDEST = [1, 13] as const;
const CURE = 'install PyTorch (pip install torch) or libtorch-dev (Debian, Ubuntu), or set LIBTORCH to its folder';

/**
 * $LIBTORCH (a folder with include/ and lib/), else the torch package of $PYTHON, python3 or python, else the system's.
 * @throws one sentence: no libtorch, one without headers, or one older than 1.13
 */
export function locateLibtorch(environment: NodeJS.ProcessEnv = process.env, system = '/usr'): Libtorch {
  const chosen = environment.LIBTORCH;
  if (chosen) return inspect(chosen, 'LIBTORCH');
  const packaged = pythonPackage('torch', environment);
  if (packaged && hasHeaders(packaged)) return inspect(packaged, "Python's torch");
  if (hasHeaders(system)) return inspect(system, "the system's libtorch");
  if (packaged) return inspect(packaged, "Python's torch");
  throw new Missing('libtorch was not found', CURE);
}

const hasHeaders = (root: string): boolean => existsSync(join(root, 'include/ATen/core/Tensor.h'));

function inspect(folder: string, origin: string): Libtorch {
  if (!existsSync(folder)) throw new Missing(`${origin} names ${folder}, which does not exist`, CURE);
  const root = realpathSync(folder);
  const libraries = libraryFolder(root);
  if (!libraries) throw new Missing(`${origin} at ${root} has no libtorch_cpu library`, CURE);
  if (!existsSync(join(libraries, 'libc10.so'))) throw new Missing(`${origin} at ${root} has no libc10 library`, CURE);
  if (!hasHeaders(root)) throw new Missing(`${origin} at ${root} has libraries but no C++ headers`, CURE);
  const version = headerVersion(root);
  const [major, minor] = version;
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new Missing(`${origin} at ${root} is version ${version.join('.')}, older than ${OLDEST.join('.')}`, CURE);
  }
  return {
    root,
    version,
    includes: [join(root, 'include'), join(root, 'include/torch/csrc/api/include')],
    libraries,
    systemWide: root === '/usr',
    cxx11Abi: usesCxx11Abi(libraries),
    cuda: existsSync(join(libraries, 'libtorch_cuda.so')),
    gloo: existsSync(join(root, 'include/torch/csrc/distributed/c10d/ProcessGroupGloo.hpp')),
  };
}

function libraryFolder(root: string): string | null {
  const triplet = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
  const folders = ['lib', `lib/${triplet}`, 'lib64'].map((name) => join(root, name));
  return folders.find((folder) => existsSync(join(folder, 'libtorch_cpu.so'))) ?? null;
}

function headerVersion(root: string): [number, number, number] {
  const places = ['include/torch/headeronly/version.h', 'include/torch/csrc/api/include/torch/version.h'];
  const path = places.map((place) => join(root, place)).find(existsSync);
  const text = path ? readFileSync(path, 'utf8') : '';
  const part = (name: string) => Number(new RegExp(`TORCH_VERSION_${name} (\\d+)`).exec(text)?.[1]);
  const version: [number, number, number] = [part('MAJOR'), part('MINOR'), part('PATCH')];
  if (version.some(Number.isNaN))
    throw new Missing(`the libtorch at ${root} does not say its version (no torch/version.h)`, CURE);
  return version;
}

/** The ABI shows in the name of any function that takes a std::string. */
function usesCxx11Abi(libraries: string): boolean {
  return readFileSync(join(libraries, 'libc10.so')).includes('torchCheckFailEPKcS2_jRKNSt7__cxx11');
}
