/**
 * Where the time of a training step goes on the torch backend, operator by operator, and beside it where PyTorch's goes
 * (its own profiler's self time).
 *
 * Usage: node --import=tsx test/bench/torch-profile.ts [--depth 50] [--precision float32] [--threads 1] [--steps 10]
 * $PYTHON (default python3) must have torch.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadAddon, type Operator } from '../../runtime/tensor/native/addon.ts';
import type { Precision } from '../../runtime/tensor/types.ts';

const { values } = parseArgs({
  options: {
    depth: { type: 'string', default: '50' },
    precision: { type: 'string', default: 'float32' },
    threads: { type: 'string', default: '1' },
    steps: { type: 'string', default: '10' },
  },
});
const { depth, precision, threads } = values;
const steps = Number(values.steps);
const [batch, side] = depth === '18' ? ['64', '32'] : ['8', '224'];

/** name → milliseconds and calls since the last clear */
const spent = new Map<string, { ms: number; calls: number }>();

const timed =
  (name: string, operator: Operator): Operator =>
  (...given) => {
    const begun = performance.now();
    const result = operator(...given);
    const entry = spent.get(name) ?? { ms: 0, calls: 0 };
    spent.set(name, { ms: entry.ms + performance.now() - begun, calls: entry.calls + 1 });
    return result;
  };

// the backend binds its operators when it is loaded, through this same object
const addon = loadAddon();
const bind = addon.bind;
addon.bind = (name, overload) => {
  const operator = bind(name, overload);
  return operator && timed(overload ? `${name}.${overload}` : name, operator);
};

const { openBackend } = await import('../../runtime/tensor/backend.ts');
const { classifier, trainer } = await import('./resnet18.ts');
const backend = await openBackend('torch', { threads: Number(threads) });
const spec = classifier(Number(depth) as 18 | 50, 1000);
const training = trainer(backend, Number(batch), Number(side), 1000, spec);
const step = () => backend.withPrecision(precision as Precision, training.step);
for (let i = 0; i < 3; i++) await step();
spent.clear();
const begun = performance.now();
for (let i = 0; i < steps; i++) await step();
const whole = (performance.now() - begun) / steps;

const python = process.env.PYTHON ?? 'python3';
const peer = fileURLToPath(new URL('torch_profile.py', import.meta.url));
const { stdout } = spawnSync(python, [peer, depth, batch, side, precision, threads, String(steps)], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
  maxBuffer: 1 << 26,
});
const print = (name: string, ms: number, note = '') => console.log(`${ms.toFixed(2).padStart(9)} ms  ${name}${note}`);

console.log(`ResNet-${depth} ${batch}x${side}x${side} ${precision}, ${threads} thread(s), per step: ours`);
for (const [name, { ms, calls }] of [...spent].sort(([, a], [, b]) => b.ms - a.ms).slice(0, 20)) {
  print(name, ms / steps, `, ${calls / steps} calls`);
}
const inside = [...spent.values()].reduce((sum, { ms }) => sum + ms, 0) / steps;
print('outside of operators', whole - inside);
print('whole step', whole);
console.log('PyTorch');
const theirs = Object.entries(JSON.parse(stdout) as Record<string, number>);
for (const [name, ms] of theirs.sort(([, a], [, b]) => b - a).slice(0, 20)) print(name, ms);
print(
  'sum',
  theirs.reduce((sum, [, ms]) => sum + ms, 0),
);
