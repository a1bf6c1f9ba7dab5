import { defineNode, T } from 'pipe-ssl';

/**
 * A hook of one's own: says after each epoch how far the loss fell, and stops a run that no longer improves.
 *   pipe run quick/swav --with examples/epoch-report.json --plugin examples/epoch-report.ts
 */
export default defineNode({
  type: 'hook/epoch_report',
  role: 'hook',
  description: 'Says after each epoch how far the loss fell; stops after `patience` epochs without a fall.',
  params: T.Object({
    patience: T.Integer({ default: 3, minimum: 1, description: 'epochs without a lower loss before the run ends' }),
  }),
  create: ({ params }) => {
    let best = Number.POSITIVE_INFINITY;
    let waited = 0;
    return {
      phase_end: ({ progress, metrics }, run) => {
        const loss = metrics?.[`${progress.phase}_loss`];
        if (!progress.training || loss === undefined) return;
        const fell = best - loss;
        waited = fell > 0 ? 0 : waited + 1;
        best = Math.min(best, loss);
        run.notice('info', `epoch ${progress.epoch + 1}: loss ${loss.toFixed(4)}, best ${best.toFixed(4)}`);
        if (waited >= params.patience) run.stop(`no lower loss for ${waited} epochs`);
      },
      // a resumed run goes on counting where it stopped
      save: () => ({ best, waited }),
      load: (state) => ({ best, waited } = state as { best: number; waited: number }),
    };
  },
});
