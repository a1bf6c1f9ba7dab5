/** `pipe backends`: which work here, how fast, what would add the others; build or measure one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { availableBackends, openBackend } from '../../tensor/backend.ts';
import type { BackendState } from '../../tensor/backends/opener.ts';
import type { Speed } from '../../tensor/measure.ts';

interface Row extends BackendState {
  readonly speed?: Speed;
  /** why it could not be measured, although it seemed to work */
  readonly failure?: string;
}

export async function list(options: { json?: boolean; probe?: boolean }): Promise<void> {
  const rows: Row[] = [];
  for (const state of await availableBackends()) {
    rows.push(options.probe && state.available ? await measured(state) : state); // one after the other: they share the cores
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return;
  }
  const width = Math.max(...rows.map(({ device, version }) => `${device ?? ''}, ${version ?? ''}`.length));
  for (const row of rows) {
    process.stdout.write(`${row.available ? '✓' : '✗'} ${row.name.padEnd(12)} ${describe(row, width)}\n`);
  }
}

function describe({ available, device, version, reason, cure, speed, failure }: Row, width: number): string {
  if (!available) return `${reason}; to add it: ${cure}`;
  const what = [device, version].filter(Boolean).join(', ');
  if (failure) return `${what}; but it does not run: ${failure}`;
  return speed ? `${what.padEnd(width)}  ${sentence(speed)}` : what;
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
  if (code !== 0) return { ...state, failure: errors.trim().split('\n').at(-1) || `ended by ${signal ?? code}` };
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
