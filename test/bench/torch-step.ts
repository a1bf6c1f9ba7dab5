/**
 * A training step (forward, backward, SGD, loss read) of ours on a native backend against PyTorch's. Both processes
 * live at once and take single steps in turn, so that a busy machine troubles both alike; the figures are the median of
 * the ratios of neighbours, the ratio of the minima, and the median ratio of processor time.
 *
 * Usage (after `npm run build`): node --import=tsx test/bench/torch-step.ts [--device tensorflow] [--depth 50] [--precision bfloat16]
 *   [--threads 1] [--steps 20]
 * $TORCH_PYTHON (default $PYTHON, then python3) must have torch; the device is torch unless it is said; without --depth, --precision or --threads, all of them.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median, type Side, startOurs, startSide } from './sides.ts';

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
const peer = fileURLToPath(new URL('torch_step.py', import.meta.url));

/** What a step of either side prints. */
async function stepOf(side: Side) {
  const [ms, worked, loss, megabytes] = await side.turn();
  return { ms, worked, loss, megabytes };
}

const WARM_UP = 3;

async function compare(depth: string, precision: string, threads: string, steps: number): Promise<void> {
  const [batch, side] = depth === '18' ? ['64', '32'] : ['8', '224'];
  const args = [depth, batch, side, precision, threads];
  const theirs = await startSide(python, [peer, ...args]);
  const ours = await startOurs('torch-step-worker.ts', [...args, values.device]);
  const times: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  const work: number[] = [];
  let memory = { ours: 0, theirs: 0 };
  for (let i = 0; i < WARM_UP + steps; i++) {
    const [a, b] = [await stepOf(ours), await stepOf(theirs)];
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
