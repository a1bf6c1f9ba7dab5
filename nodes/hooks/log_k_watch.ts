import type { RunView } from '../../runtime/events.ts';
import { defineNode, T } from '../../runtime/node.ts';

/**
 * Warns when SwAV's loss stays near log K, the loss of scores that say nothing about K prototypes. With several sets of
 * prototypes log K is the mean of theirs.
 */
export default defineNode({
  type: 'hook/log_k_watch',
  description: 'Warns when the loss of SwAV stays at log K: nothing is learned.',
  role: 'hook',
  params: T.Object({
    head: T.String({ description: 'node with the prototypes' }),
    after: T.Integer({ default: 1000, minimum: 1, description: 'iterations before the first warning' }),
    window: T.Integer({ default: 100, minimum: 1, description: 'iterations that the mean loss is taken over' }),
    tolerance: T.Number({ default: 0.02, exclusiveMinimum: 0, description: 'distance from log K, as a share of it' }),
  }),
  show: ['head'],
  create: ({ params }) => {
    let losses: number[] = [];
    let warned = false;
    let logK: number | undefined;
    return {
      start(_event, run) {
        logK = meanLogK(params.head, run);
        if (logK === undefined) {
          run.notice('warning', `${params.head} has no prototypes for hook/log_k_watch to read`);
        }
      },
      update({ loss, progress }, run) {
        if (loss === undefined || logK === undefined) return;
        losses.push(loss);
        if (losses.length > params.window) losses = losses.slice(-params.window);
        if (progress.iteration < params.after || losses.length < params.window) return;
        const mean = losses.reduce((a, b) => a + b, 0) / losses.length;
        const stuck = Math.abs(mean - logK) < params.tolerance * logK;
        if (stuck && !warned) {
          const message = `the loss is ${mean.toFixed(4)} after ${progress.iteration} iterations, as good as log K = ${logK.toFixed(4)}: the prototypes say nothing about the images`;
          const cure =
            'Known cures: a lower learning rate or a longer warm-up, a smaller epsilon (0.02 or 0.03), prototypes frozen longer, fewer prototypes, a queue for small batches that starts later';
          run.notice('warning', message, cure);
        }
        warned = stuck;
      },
      save: () => ({ losses, warned }),
      load(state) {
        const saved = state as { losses: number[]; warned: boolean };
        losses = saved.losses;
        warned = saved.warned;
      },
    };
  },
});

function meanLogK(head: string, run: RunView): number | undefined {
  const counts = [...run.parameters.values()]
    .filter(({ node, name }) => node === head && /\.prototypes\d+\.weight(_v)?$/.test(name))
    .map((parameter) => parameter.value().shape[1]!);
  return counts.length > 0 ? counts.reduce((sum, k) => sum + Math.log(k), 0) / counts.length : undefined;
}
