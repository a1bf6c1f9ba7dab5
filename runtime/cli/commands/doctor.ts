/** `pipe doctor`: the machine, versions, backends, and the command that would add what is missing. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, freemem, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../package.ts';
import { availableBackends } from '../../tensor/backend.ts';

interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'missing';
  readonly detail: string;
  readonly cure?: string;
}

const GIGABYTE = 2 ** 30;

function version(module: string): string | undefined {
  try {
    // the entry of a package lies somewhere below its folder; its package.json is not always exported
    const require = createRequire(join(packageRoot, 'package.json'));
    const entry = require.resolve(module);
    const folder = entry.slice(
      0,
      entry.lastIndexOf(join('node_modules', module)) + join('node_modules', module).length,
    );
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    return undefined;
  }
}

function firstLine(command: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0];
  } catch {
    return undefined;
  }
}

const optional = (what: string, detail: string | undefined, cure: string): Finding =>
  detail === undefined ? { what, state: 'missing', detail: 'not found', cure } : { what, state: 'ok', detail };

async function examine(): Promise<readonly Finding[]> {
  const backends = await availableBackends();
  return [
    { what: 'node', state: 'ok', detail: process.version },
    {
      what: 'machine',
      state: 'ok',
      detail: `${type()} ${release()}, ${process.arch}, ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'})`,
    },
    {
      what: 'memory',
      state: 'ok',
      detail: `${(freemem() / GIGABYTE).toFixed(1)} of ${(totalmem() / GIGABYTE).toFixed(1)} GB free`,
    },
    ...['@tensorflow/tfjs-core', 'sharp', 'rxjs'].map((module) => optional(module, version(module), 'npm ci')),
    optional('ffmpeg', firstLine('ffmpeg', ['-version']), 'install ffmpeg, or npm install ffmpeg-static (video only)'),
    ...backends.map(
      ({ name, available, device, version: of, reason, cure }): Finding => ({
        what: `backend ${name}`,
        state: available ? 'ok' : 'missing',
        detail: available ? [device, of].filter(Boolean).join(', ') : (reason ?? 'not available'),
        ...(available ? {} : { cure }),
      }),
    ),
  ];
}

export async function doctor(options: { json?: boolean }): Promise<void> {
  const findings = await examine();
  if (options.json) {
    process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
    return;
  }
  const width = Math.max(...findings.map(({ what }) => what.length));
  for (const { what, state, detail, cure } of findings) {
    process.stdout.write(
      `${state === 'ok' ? '✓' : '–'} ${what.padEnd(width)}  ${detail}${cure ? `; to add it: ${cure}` : ''}\n`,
    );
  }
}
