/** Our side of torch-step.ts: one training step for each line read. Arguments as torch_step.py has them. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openBackend } from '../../runtime/tensor/backend.ts';
import type { Precision } from '../../runtime/tensor/types.ts';
import { classifier, trainer } from './resnet18.ts';

const [depth, batch, side, precision, threads, device = 'torch'] = process.argv.slice(2);

const peakMemory = (): number =>
  Math.floor(Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) / 1024);

const backend = await openBackend(device, { threads: Number(threads) });
const spec = classifier(Number(depth) as 18 | 50, 1000);
const training = trainer(backend, Number(batch), Number(side), 1000, spec);
const step = () => backend.withPrecision(precision as Precision, training.step);
console.log(`ready ${backend.device}`);
for await (const _ of createInterface({ input: process.stdin })) {
  const start = performance.now();
  const before = process.cpuUsage();
  const loss = await step();
  const { user, system } = process.cpuUsage(before);
  console.log(`${performance.now() - start} ${(user + system) / 1000} ${loss} ${peakMemory()}`);
}
