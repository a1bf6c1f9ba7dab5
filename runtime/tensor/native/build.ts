/** Compile the add-on against the libtorch of this machine. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { addonPath, sources } from './cache.ts';
import { compile } from './compile.ts';
import { type Libtorch, locateLibtorch } from './locate.ts';
import { type CompilerNeeds, findToolchain, type Toolchain } from './toolchain.ts';

export interface BuildOptions {
  readonly log: (line: string) => void;
  /** build also where a built add-on is there */
  readonly force?: boolean;
}

/**
 * Build the add-on, or find it built: about half a minute the first time. Safe in several processes at once: the result
 * is renamed into place.
 * @returns path of the add-on
 * @throws one sentence about what is missing, or the compiler's first error
 */
export async function buildTorch({ log, force = false }: BuildOptions): Promise<string> {
  const libtorch = locateLibtorch();
  const target = addonPath(libtorch);
  if (existsSync(target) && !force) {
    log(`the add-on for libtorch ${libtorch.version.join('.')} is built: ${target} (--force builds it anew)`);
    return target;
  }
  const toolchain = findToolchain(compilerNeeds(libtorch));
  log(`building the add-on for libtorch ${libtorch.version.join('.')} at ${libtorch.root}`);
  await compile(toolchain.compiler, 'the libtorch add-on', target, (output) =>
    compilerArguments(libtorch, toolchain, output),
  );
  log(`built ${target}`);
  return target;
}

/** For install scripts: says in one line what was done or what is missing, and never fails. */
export async function buildTorchIfPossible(log: (line: string) => void): Promise<void> {
  try {
    await buildTorch({ log });
  } catch (error) {
    log(`the torch backend was not built (${(error as Error).message}); later: pipe backends build torch`);
  }
}

/** What the headers of each version ask for at most. */
export function compilerNeeds({ version }: Libtorch): CompilerNeeds {
  const purpose = `libtorch ${version.join('.')}`;
  return version[0] >= 2
    ? { purpose, standard: 'c++20', gcc: 11, clang: 14 }
    : { purpose, standard: 'c++17', gcc: 9, clang: 9 };
}

function compilerArguments(libtorch: Libtorch, toolchain: Toolchain, output: string): string[] {
  const search = libtorch.systemWide
    ? ['-isystem', join(libtorch.root, 'include/torch/csrc/api/include')] // -isystem /usr/include breaks <cstdlib>
    : libtorch.includes.flatMap((include) => ['-isystem', include]);
  const libraries = libtorch.systemWide ? [] : [`-L${libtorch.libraries}`, `-Wl,-rpath,${libtorch.libraries}`];
  // libtorch_cuda registers its kernels when it is loaded; no symbol of it is named
  const cuda = libtorch.cuda ? ['-Wl,--no-as-needed', '-ltorch_cuda', '-lc10_cuda'] : [];
  return [
    ...['-shared', '-fPIC', '-O3', `-std=${toolchain.standard}`, '-fvisibility=hidden'],
    `-D_GLIBCXX_USE_CXX11_ABI=${Number(libtorch.cxx11Abi)}`,
    ...(libtorch.gloo ? ['-DPIPE_WITH_GLOO'] : []),
    ...['-I', sources, '-I', toolchain.nodeHeaders, ...search],
    join(sources, 'addon.cc'),
    ...['-o', output, ...libraries, '-ltorch_cpu', '-lc10', ...cuda],
  ];
}
