/**
 * A training step (forward, backward, SGD, loss read) of ours on a native backend against PyTorch's. Both processes
 * live at once and take single steps in turn, so that a busy machine troubles both alike; the figures are the median of
 * the ratios of neighbours, the ratio of the minima, and the median ratio of processor time.
 *
 * Usage: node --import=tsx test/bench/torch-step.ts [--device tensorflow] [--depth 50] [--precision bfloat16]
 *   [--threads 1] [--steps 20]
 * $TORCH_PYTHON (default $PYTHON, then python3) must have torch; the device is torch unless it is said; without --depth, --precision or --threads, all of them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'torch' },
    depth: { type: 'string' },
    precision: { type: 'string' },
    threads: { type: 'string' },
    steps: { type: 'string', default: '20' },
  },
});
const python = process.env.TORCH_PYTHON ?? process.env.PYTHON ?? 'python3';
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

interface Side {
  step(): Promise<{ ms: number; worked: number; loss: number; megabytes: number }>;
  stop(): void;
}

async function start(command: string, args: string[]): Promise<Side> {
  const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: AsyncIterator<string> = (createInterface({ input: child.stdout! }) as Interface)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command} ${args.join(' ')} ended`);
    return value;
  };
  for (;;) if ((await next()).startsWith('ready')) break;
  return {
    async step() {
      child.stdin!.write('\n');
      const [ms, worked, loss, megabytes] = (await next()).split(' ').map(Number);
      return { ms, worked, loss, megabytes };
    },
    stop: () => child.stdin!.end(),
  };
}

const median = (numbers: number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const WARM_UP = 3;

async function compare(depth: string, precision: string, threads: string, steps: number): Promise<void> {
  const [batch, side] = depth === '18' ? ['64', '32'] : ['8', '224'];
  const args = [depth, batch, side, precision, threads];
  const theirs = await start(python, [here('torch_step.py'), ...args]);
  const ours = await start(process.execPath, ['--import=tsx', here('torch-step-worker.ts'), ...args, values.device]);
  const times: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  const work: number[] = [];
  let memory = { ours: 0, theirs: 0 };
  for (let i = 0; i < WARM_UP + steps; i++) {
    const [a, b] = [await ours.step(), await theirs.step()];
    if (!Number.isFinite(a.loss)) throw new Error(`the loss is ${a.loss}`);
    memory = { ours: a.megabytes, theirs: b.megabytes };
    if (i < WARM_UP) continue;
    times.ours.push(a.ms);
    times.theirs.push(b.ms);
    work.push(a.worked / b.worked);
  }
  ours.stop();
  theirs.stop();
  const ratio = median(times.ours.map((ms, i) => ms / times.theirs[i]));
  const minima = [Math.min(...times.ours), Math.min(...times.theirs)];
  const row = [
    `ResNet-${depth} ${batch}x${side}x${side} ${precision} ${threads} thread(s)`.padEnd(46),
    `${values.device} ${median(times.ours).toFixed(0)} / ${minima[0].toFixed(0)} ms`.padEnd(24),
    `PyTorch ${median(times.theirs).toFixed(0)} / ${minima[1].toFixed(0)} ms`.padEnd(26),
    `ratio ${ratio.toFixed(3)} paired, ${(minima[0] / minima[1]).toFixed(3)} of minima, ${median(work).toFixed(3)} of work`.padEnd(
      56,
    ),
    `peak ${memory.ours} / ${memory.theirs} MB`,
  ];
  console.log(row.join(' '));
}

for (const depth of values.depth ? [values.depth] : ['18', '50']) {
  for (const precision of values.precision ? [values.precision] : ['float32', 'bfloat16']) {
    for (const threads of values.threads ? [values.threads] : ['2', '1']) {
      await compare(depth, precision, threads, Number(values.steps));
    }
  }
}
