import { defineNode, T } from '../../runtime/node.ts';
import { globalNorm, gradientsOf } from './gradient-norm.ts';

/**
 * Warns when the norm of the gradients jumps: `factor` times its median of the last looks, or a number that is not
 * finite. Names the parameter with the largest gradient. Waits for: backward.
 */
export default defineNode({
  type: 'hook/exploding_gradients_watch',
  description: 'Warns when gradients explode.',
  role: 'hook',
  params: T.Object({
    every: T.Integer({ default: 20, minimum: 1, description: 'iterations between two looks' }),
    window: T.Integer({ default: 20, minimum: 3, description: 'looks that the median is taken over' }),
    factor: T.Number({ default: 10, exclusiveMinimum: 1, description: 'times the median that is worth a warning' }),
  }),
  show: ['every', 'factor'],
  create: ({ params, tf, name }) => {
    let norms: number[] = [];
    return {
      async backward({ progress }, run) {
        if (progress.iteration % params.every !== 0) return;
        const gradients = gradientsOf(run);
        if (gradients.length === 0) return; // a step of float16 that is left out
        const norm = await globalNorm(
          tf,
          gradients.map(([, gradient]) => gradient),
          2,
        );
        run.emit({ type: 'metrics', time: Date.now(), node: name, progress, metrics: { gradient_norm: norm } });
        const usual = norms.toSorted((a, b) => a - b)[Math.floor(norms.length / 2)];
        const exploded = !Number.isFinite(norm) || (norms.length >= 3 && norm > params.factor * usual);
        if (!exploded) {
          norms = [...norms, norm].slice(-params.window);
          return;
        }
        const each = await Promise.all(
          gradients.map(async ([parameter, gradient]) => ({ parameter, own: await globalNorm(tf, [gradient], 2) })),
        );
        const worst = each.reduce((a, b) => (a.own >= b.own || Number.isNaN(a.own) ? a : b));
        const usually = usual === undefined ? '' : `, where it usually is ${usual.toExponential(2)}`;
        run.notice(
          'warning',
          `the gradients explode: their norm is ${norm.toExponential(2)} at iteration ${progress.iteration}${usually}; the largest is that of ${worst.parameter}`,
          'Known cures: a lower learning rate or a longer warm-up, hook/gradient_clipping, LARS or LARC, float32 instead of bfloat16',
        );
      },
      save: () => ({ norms }),
      load(state) {
        ({ norms } = state as { norms: number[] });
      },
    };
  },
});
