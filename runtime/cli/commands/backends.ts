/** `pipe backends`: which work here, how fast, what would add the others; build or measure one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { availableBackends, openBackend } from '../../tensor/backend.ts';
import type { BackendState } from '../../tensor/backends/opener.ts';
import type { Speed } from '../../tensor/measure.ts';

interface Row extends BackendState {
  readonly speed?: Speed;
}

export async function list(options: { json?: boolean; speed: boolean }): Promise<void> {
  const states = await availableBackends();
  const width = Math.max(...states.map((state) => what(state).length));
  const rows: Row[] = [];
  for (const state of states) {
    const row = options.speed && state.available ? await measured(state) : state; // one after the other: they share the cores
    rows.push(row);
    if (!options.json)
      process.stdout.write(`${row.available ? '✓' : '✗'} ${row.name.padEnd(12)} ${describe(row, width)}\n`);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
}

const what = ({ device, version }: BackendState): string => [device, version].filter(Boolean).join(', ');

function describe(row: Row, width: number): string {
  const { available, reason, cure, speed } = row;
  const found = what(row);
  if (!available) return `${found && `${found}: `}${reason}; to add it: ${cure}`;
  return speed ? `${found.padEnd(width)}  ${sentence(speed)}` : found;
}

const sentence = ({ matrixProduct, convolutionStep }: Speed): string =>
  `matrix product ${short(matrixProduct)} GFLOP/s, convolution step ${short(convolutionStep)} images/s`;
const short = (value: number): string => value.toFixed(value < 10 ? 1 : 0);

/** In a process of its own: native libraries neither meet there nor take this one down with them. */
async function measured(state: BackendState): Promise<Row> {
  const pipe = [...process.execArgv, process.argv[1], 'backends', 'measure', state.name, '--json'];
  const child = spawn(process.execPath, pipe, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  if (code !== 0) {
    const reason = errors.trim().split('\n').at(-1) || `it ended by ${signal ?? code}`;
    const cure = `see \`pipe backends measure ${state.name}\``;
    return { ...state, available: false, reason: `it is there but does not run (${reason})`, cure };
  }
  const { device, speed } = JSON.parse(out) as { device: string; speed: Speed };
  return { ...state, device, speed };
}

export async function measure(name: string, options: { json?: boolean }): Promise<void> {
  const backend = await openBackend(name);
  const { measureSpeed } = await import('../../tensor/measure.ts');
  const speed = measureSpeed(backend);
  const found = { name, device: backend.device, speed };
  process.stdout.write(
    options.json ? `${JSON.stringify(found)}\n` : `${name}, ${backend.device}: ${sentence(speed)}\n`,
  );
}

export async function build(backend: 'torch' | 'tensorflow', options: { force?: boolean }): Promise<void> {
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  if (backend === 'torch') {
    const { buildTorch } = await import('../../tensor/native/build.ts');
    await buildTorch({ log, force: options.force });
  } else {
    const { buildTensorflow } = await import('../../tensor/native/tensorflow/build.ts');
    await buildTensorflow({ log, force: options.force });
  }
}
