import type { GraphEvent, HookEvent, RunView } from '../../runtime/events.ts';
import { defineNode, T } from '../../runtime/node.ts';
import { PerfMetric, perfTable } from './perf-metric.ts';

/**
 * Times of the parts of a training step on the host, as a table: train_step_total, read_sample, forward, loss_compute
 * (targets, losses, meters and the mean of the loss over ranks), backward, optimizer_step; then the slowest nodes.
 * Waits for: phase_start, forward, loss_and_meter, backward, update, step, phase_end; watches node.
 * Listed first among the hooks it times the step alone; listed last, the hooks before it too. Devices that work
 * asynchronously do so beside these times: --trace shows streams.
 */
export default defineNode({
  type: 'hook/perf_stats',
  description: 'Tables of how long the parts of a step take.',
  aliases: ['LogPerfTimeMetricsHook'],
  role: 'hook',
  params: T.Object({
    every: T.Optional(T.Integer({ minimum: 1, description: 'steps between two tables; default: ends of phases only' })),
    nodes: T.Integer({ default: 5, minimum: 0, description: 'slowest nodes to name' }),
  }),
  show: ['every'],
  create: ({ params }) => {
    let parts = new Map<string, PerfMetric>();
    let nodes = new Map<string, PerfMetric>();
    let [begin, last] = [0, 0];
    const record = (to: Map<string, PerfMetric>, name: string, ms: number) => {
      if (!to.has(name)) to.set(name, new PerfMetric());
      to.get(name)!.record(ms);
    };
    /** the part since the event before */
    const part = (name: string) => () => {
      const now = performance.now();
      record(parts, name, now - last);
      last = now;
    };
    const report = ({ progress }: HookEvent, run: RunView) => {
      if (run.rank > 0 || parts.size === 0) return;
      const slowest = [...nodes].sort(([, a], [, b]) => b.sum - a.sum).slice(0, params.nodes);
      const total = parts.get('train_step_total')!;
      run.notice(
        'info',
        `${progress.phase}, ${total.count} steps of ${total.mean.toFixed(1)} ms\n${perfTable([...parts, ...slowest])}`,
      );
    };
    const restart = () => {
      begin = performance.now();
      last = begin;
    };
    return {
      phase_start() {
        parts = new Map();
        nodes = new Map();
        restart();
      },
      forward: part('forward'),
      loss_and_meter: part('loss_compute'),
      backward: part('backward'),
      update: part('optimizer_step'),
      step(event, run) {
        record(parts, 'train_step_total', performance.now() - begin);
        if (params.every && event.progress.step % params.every === 0) report(event, run);
        restart();
      },
      phase_end: report,
      observe(event: GraphEvent) {
        if (event.type !== 'node' || event.stage === 'once') return;
        if (event.stage !== 'load') {
          record(nodes, `${event.node} (${event.stage})`, event.end - event.start);
          return;
        }
        // the batch is there: what came before in this step was waiting for it
        part('read_sample')();
      },
    };
  },
});
