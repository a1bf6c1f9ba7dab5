/** Compile the add-on against the libtorch of this machine. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { addonPath, sources } from './cache.ts';
import { type Libtorch, locateLibtorch } from './locate.ts';
import { findToolchain, type Toolchain } from './toolchain.ts';

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
    log(`the add-on for libtorch ${libtorch.version.join('.')} is built: ${target}`);
    return target;
  }
  const toolchain = findToolchain(libtorch);
  log(`building the add-on for libtorch ${libtorch.version.join('.')} at ${libtorch.root}`);
  mkdirSync(dirname(target), { recursive: true });
  const draft = `${target}.${randomUUID()}`;
  try {
    await promisify(execFile)(toolchain.compiler, compilerArguments(libtorch, toolchain, draft));
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new Error(`${toolchain.compiler} could not build the libtorch add-on: ${firstError(error)}`);
  }
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

function compilerArguments(libtorch: Libtorch, toolchain: Toolchain, output: string): string[] {
  const search = libtorch.systemWide
    ? ['-isystem', join(libtorch.root, 'include/torch/csrc/api/include')] // -isystem /usr/include breaks <cstdlib>
    : libtorch.includes.flatMap((include) => ['-isystem', include]);
  const libraries = libtorch.systemWide ? [] : [`-L${libtorch.libraries}`, `-Wl,-rpath,${libtorch.libraries}`];
  // libtorch_cuda registers its kernels when it is loaded; no symbol of it is named
  const cuda = libtorch.cuda ? ['-Wl,--no-as-needed', '-ltorch_cuda', '-lc10_cuda'] : [];
  return [
    ...['-shared', '-fPIC', '-O2', `-std=${toolchain.standard}`, '-fvisibility=hidden'],
    `-D_GLIBCXX_USE_CXX11_ABI=${Number(libtorch.cxx11Abi)}`,
    '-DPIPE_WITH_GLOO',
    ...['-I', sources, '-I', toolchain.nodeHeaders, ...search],
    join(sources, 'addon.cc'),
    ...['-o', output, ...libraries, '-ltorch_cpu', '-lc10', ...cuda],
  ];
}

function firstError(error: unknown): string {
  const { stderr = '', message } = error as { stderr?: string; message: string };
  const line = stderr.split('\n').find((text) => /error|undefined reference|cannot find/.test(text));
  return (line ?? message).trim();
}
