/** Our side of torch-step.ts: one training step for each line read. Arguments as torch_step.py has them. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { ModelSpec } from '../../graph/model/layers.ts';
import resnet from '../../nodes/trunks/resnet.ts';
import { openBackend } from '../../runtime/tensor/backend.ts';
import { trainer } from './resnet18.ts';

const [depth, batch, side, precision, threads, device = 'torch'] = process.argv.slice(2);

const peakMemory = (): number =>
  Math.floor(Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) / 1024);

function classifier(classes: number): ModelSpec {
  const refuse = ({ message }: { message: string }) => {
    throw new Error(message);
  };
  const params = {
    depth: Number(depth) as 18 | 50,
    width_multiplier: 1,
    groups: 1,
    width_per_group: 64,
    norm: 'batch_norm' as const,
    zero_init_residual: false,
    layer4_stride: 2 as const,
    stem: 'imagenet' as const,
    input: 'rgb' as const,
    init: 'he_fan_out' as const,
  };
  const trunk = (resnet as unknown as { model(given: object): ModelSpec }).model({ params, problem: refuse });
  const features = Number(depth) === 18 ? 512 : 2048;
  const fc = { name: 'fc', layer: { op: 'linear' as const, in: features, out: classes } };
  return { stages: [...trunk.stages, fc], outputs: { scores: { stage: 'fc' } } };
}

const backend = await openBackend(device, {
  threads: Number(threads),
  precision: precision as 'float32' | 'bfloat16',
});
const { step } = trainer(backend, Number(batch), Number(side), 1000, classifier(1000));
console.log(`ready ${backend.device}`);
for await (const _ of createInterface({ input: process.stdin })) {
  const start = performance.now();
  const before = process.cpuUsage();
  const loss = await step();
  const { user, system } = process.cpuUsage(before);
  console.log(`${performance.now() - start} ${(user + system) / 1000} ${loss} ${peakMemory()}`);
}
