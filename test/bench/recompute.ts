/**
 * Activation checkpointing on ResNet-50: time of a step and most memory in use, by the number of parts; a process each.
 * node --import=tsx test/bench/recompute.ts [backend=torch] [batch=8] [side=224] [parts=1,2,4,8,16] [steps=5]
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ModelSpec } from '../../graph/model/layers.ts';
import resnet from '../../nodes/trunks/resnet.ts';
import { openBackend } from '../../runtime/tensor/backend.ts';
import { trainer } from './resnet18.ts';

const [name = 'torch', batch = '8', side = '224', parts = '1,2,4,8,16', steps = '5', worker] = process.argv.slice(2);

function resnet50(): ModelSpec {
  const params = Object.fromEntries(
    Object.entries(resnet.params.properties).map(([key, { default: value }]) => [key, value]),
  );
  const problem = ({ message }: { message: string }): never => {
    throw new Error(message);
  };
  const trunk = (resnet as unknown as { model(given: object): ModelSpec }).model({
    params: { ...params, depth: 50 },
    problem,
  });
  const fc = { name: 'fc', layer: { op: 'linear' as const, in: 2048, out: 1000 } };
  return { stages: [...trunk.stages, fc], outputs: { scores: { stage: 'fc' } } };
}

const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);

async function measure(): Promise<void> {
  const backend = await openBackend(name, { threads: 2 });
  const { step } = trainer(backend, Number(batch), Number(side), 1000, resnet50(), { recomputedParts: Number(parts) });
  const walls: number[] = [];
  const works: number[] = [];
  for (let i = 0; i < Number(steps); i++) {
    const [start, before] = [performance.now(), globalThis.process.cpuUsage()];
    await step();
    const { user, system } = globalThis.process.cpuUsage(before);
    walls.push(performance.now() - start);
    works.push((user + system) / 1000);
  }
  const best = (times: number[]): string => Math.min(...times).toFixed(0);
  const used = name === 'torch' ? (await import('../../runtime/tensor/backends/torch/aten.ts')).addon.memory()[2] : NaN;
  const process = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;
  console.log(
    `${parts.padStart(5)} parts: ${best(walls)} ms a step, ${best(works)} ms of processor time; ` +
      `${Number.isNaN(used) ? '' : `${megabytes(used)} MB in tensors at most, `}${megabytes(process)} MB of the process`,
  );
}

if (worker) await measure();
else {
  console.log(`ResNet-50, ${batch} images of ${side}², ${name}`);
  for (const count of parts.split(',')) {
    const given = [...process.execArgv, fileURLToPath(import.meta.url), name, batch, side, count, steps, 'worker'];
    execFileSync(process.execPath, given, { stdio: 'inherit' });
  }
}
