/** The C++ compiler and Node's headers. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Missing } from './missing.ts';

export interface CompilerNeeds {
  /** what is built against, with its version */
  readonly purpose: string;
  readonly standard: 'c++17' | 'c++20';
  /** oldest major versions */
  readonly gcc: number;
  readonly clang: number;
}

export interface Toolchain {
  readonly compiler: string;
  readonly nodeHeaders: string;
  readonly standard: CompilerNeeds['standard'];
}

/** @throws one sentence: no compiler, too old a compiler, no headers of Node */
export function findToolchain(
  { purpose, standard, gcc, clang }: CompilerNeeds,
  environment: NodeJS.ProcessEnv = process.env,
): Toolchain {
  const { compiler, ...found } = findCompiler(environment.CXX);
  const oldest = found.clang ? clang : gcc;
  if (found.major < oldest) {
    throw new Missing(
      `${compiler} is version ${found.major}, but ${purpose} needs ${oldest} or newer`,
      'install one, or set CXX',
    );
  }
  return { compiler, standard, nodeHeaders: nodeHeaders() };
}

interface Compiler {
  readonly compiler: string;
  readonly clang: boolean;
  /** version */
  readonly major: number;
}

/** $CXX, else the first that starts. */
function findCompiler(chosen: string | undefined): Compiler {
  const names = chosen ? [chosen] : ['g++', 'c++', 'clang++'];
  for (const compiler of names) {
    const run = (...args: string[]) =>
      execFileSync(compiler, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const clang = run('--version').includes('clang');
      return { compiler, clang, major: Number.parseInt(run('-dumpversion'), 10) };
    } catch {}
  }
  const tried = names.map((name) => `'${name}'`).join(', ');
  throw new Missing(
    `no C++ compiler (${tried} ${names.length > 1 ? 'do' : 'does'} not start)`,
    'install g++, or set CXX to the path of a compiler',
  );
}

function nodeHeaders(): string {
  const places = [join(dirname(process.execPath), '../include/node'), '/usr/include/node'];
  const found = places.find((place) => existsSync(join(place, 'node_api.h')));
  if (found) return found;
  throw new Missing(`Node's headers (node_api.h) are in none of ${places.join(', ')}`, 'install Node with its headers');
}
