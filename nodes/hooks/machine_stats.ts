import { execFile } from 'node:child_process';
import { availableParallelism, freemem, loadavg, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { RunView } from '../../runtime/events.ts';
import { defineNode, T } from '../../runtime/node.ts';

/**
 * Says what the machine does: processor time and memory of this process, load and memory of the machine, and of GPUs of
 * NVIDIA their memory, use and temperature. Waits for: start and step, at the end of step `at` of every phase.
 */
export default defineNode({
  type: 'hook/machine_stats',
  description: 'Processor, memory and GPU use as text.',
  aliases: ['LogGpuStatsHook'],
  role: 'hook',
  params: T.Object({
    at: T.Integer({ default: 50, minimum: 1, description: 'step of each phase to look at' }),
  }),
  create: ({ params }) => {
    let before = { cpu: process.cpuUsage(), time: performance.now() };
    const say = async (run: RunView) => {
      if (run.rank > 0) return;
      const { user, system } = process.cpuUsage(before.cpu);
      const cores = (user + system) / 1000 / Math.max(1, performance.now() - before.time);
      before = { cpu: process.cpuUsage(), time: performance.now() };
      const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
      run.notice(
        'info',
        `${cores.toFixed(2)} of ${availableParallelism()} cores used, load ${loadavg()[0].toFixed(2)}; memory ${gib(process.memoryUsage.rss())} of this process, ${gib(freemem())} of ${gib(totalmem())} free`,
      );
      for (const line of await gpuLines()) run.notice('info', line);
    };
    return {
      start: (_event, run) => say(run),
      async step({ progress }, run) {
        if (progress.step === params.at) await say(run);
      },
    };
  },
});

/** One line per GPU; none where there is no nvidia-smi. */
async function gpuLines(): Promise<string[]> {
  const fields = 'index,name,memory.used,memory.total,utilization.gpu,temperature.gpu';
  const args = [`--query-gpu=${fields}`, '--format=csv,noheader'];
  const found = await promisify(execFile)('nvidia-smi', args, { timeout: 10_000 }).catch(() => undefined);
  const lines = found?.stdout.trim().split('\n') ?? [];
  return lines.filter(Boolean).map((line) => {
    const [index, name, used, total, use, temperature] = line.split(', ');
    return `GPU ${index} ${name}: ${used} of ${total}, ${use} busy, ${temperature} °C`;
  });
}
