/**
 * All-reduce of 25 million floats (ResNet-50's gradients) with 2 and 4 processes: through shared memory, through
 * sockets, as tensors of the torch backend (where it is built), and, where there is a Python with torch ($PYTHON, default
 * python3), through torch.distributed's Gloo.
 * Usage: node --import=tsx test/bench/collectives.ts
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../runtime/distributed/free-port.ts';
import { backendState } from '../../runtime/tensor/backend.ts';
import { launch } from '../distributed/fixtures/launch.ts';

const FLOATS = 25_000_000;
const ROUNDS = 11;

interface Times {
  readonly median: number;
  readonly fastest: number;
  /** median ms of a blocking gather of 512 floats */
  readonly gatherNow?: number;
}

const parse = (stdout: string): Times =>
  Object.assign(
    {},
    ...stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  );

async function ours(size: number, how: 'shared' | 'sockets' | 'torch'): Promise<Times> {
  const ends = await launch('../../bench/collectives-rank.ts', size, [String(FLOATS), String(ROUNDS), how]);
  const failed = ends.find(({ code }) => code !== 0);
  if (failed) throw new Error(failed.stderr);
  return parse(ends[0].stdout);
}

async function gloo(size: number): Promise<Times | undefined> {
  const program = fileURLToPath(new URL('collectives.py', import.meta.url));
  const port = String(await freePort());
  const outputs = Array.from({ length: size }, (_, rank) => {
    const child = spawn(process.env.PYTHON ?? 'python3', [program, String(FLOATS), String(ROUNDS)], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: {
        ...process.env,
        RANK: String(rank),
        WORLD_SIZE: String(size),
        MASTER_ADDR: '127.0.0.1',
        MASTER_PORT: port,
        GLOO_SOCKET_IFNAME: 'lo',
      },
    });
    return new Promise<string | undefined>((resolve) => {
      let text = '';
      child.stdout.on('data', (data) => {
        text += data;
      });
      child.on('error', () => resolve(undefined));
      child.on('close', (code) => resolve(code === 0 ? text : undefined));
    });
  });
  const [first] = await Promise.all(outputs);
  return first === undefined ? undefined : parse(first);
}

const text = (times: Times | undefined): string => {
  if (!times) return 'not here';
  const { median, fastest, gatherNow } = times;
  const rate = (FLOATS * 4) / 1e6 / median;
  const waiting = gatherNow === undefined ? '' : `; blocking gather of 512 floats ${gatherNow.toFixed(2)} ms`;
  return `median ${median.toFixed(0)} ms, fastest ${fastest.toFixed(0)} ms, ${rate.toFixed(2)} GB/s${waiting}`;
};

const { available: torch } = await backendState('torch');
for (const size of [2, 4]) {
  console.log(`${size} processes, shared memory: ${text(await ours(size, 'shared'))}`);
  console.log(`${size} processes, sockets: ${text(await ours(size, 'sockets'))}`);
  if (torch) console.log(`${size} processes, tensors of the torch backend: ${text(await ours(size, 'torch'))}`);
  console.log(`${size} processes, torch.distributed Gloo: ${text(await gloo(size))}`);
}
