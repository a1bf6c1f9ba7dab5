/**
 * Time of a ResNet-18 training step (forward, backward, SGD, loss read) of 64 images of 32x32 on one backend.
 * Usage: node --import=tsx test/bench/train-step.ts [--backend wasm] [--steps 20] [--batch 64] [--side 32]
 */
import { parseArgs } from 'node:util';
import { openBackend } from '../../runtime/tensor/backend.ts';
import { trainer } from './resnet18.ts';

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'wasm' },
    steps: { type: 'string', default: '20' },
    batch: { type: 'string', default: '64' },
    side: { type: 'string', default: '32' },
  },
});
const WARM_UP = 3;

const backend = await openBackend(values.backend);
const { step } = trainer(backend, Number(values.batch), Number(values.side));
const wall: number[] = [];
const cpu: number[] = [];
for (let i = 0; i < Number(values.steps) + WARM_UP; i++) {
  const before = { time: performance.now(), usage: process.cpuUsage() };
  await step();
  const { user, system } = process.cpuUsage(before.usage);
  if (i < WARM_UP) continue;
  wall.push(performance.now() - before.time);
  cpu.push((user + system) / 1000);
}
const figures = (times: number[]): string => {
  const sorted = times.toSorted((a, b) => a - b);
  return `median ${sorted[sorted.length >> 1].toFixed(0)} ms, minimum ${sorted[0].toFixed(0)} ms`;
};
const memory = (process.memoryUsage.rss() / 2 ** 20).toFixed(0);
console.log(`${backend.name} (${backend.device}): wall ${figures(wall)}; CPU ${figures(cpu)}; ${memory} MB resident`);
