import { defineNode, T } from '../../runtime/node.ts';
import { globalNorm, gradientsOf } from './gradient-norm.ts';

/**
 * Scales all gradients by max_norm / (norm + 1e-6) when their norm, as one vector, is larger than max_norm (Pascanu et
 * al. 2013, arXiv:1211.5063). Waits for: backward. Parameters that hook/freeze_parameters keeps count when this hook
 * comes before it.
 */
export default defineNode({
  type: 'hook/gradient_clipping',
  description: 'Limits the norm of the gradients (arXiv:1211.5063).',
  aliases: ['GradientClippingHook', 'clip_grad_norm'],
  role: 'hook',
  params: T.Object({
    max_norm: T.Number({ default: 1, exclusiveMinimum: 0, description: 'largest norm' }),
    norm: T.Union([T.Literal(2), T.Literal('inf')], { default: 2, description: 'Euclidean, or the largest value' }),
  }),
  show: ['max_norm'],
  create: ({ params, tf, ops, name }) => ({
    async backward({ progress }, run) {
      const gradients = gradientsOf(run);
      if (gradients.length === 0) return; // a step of float16 that is left out
      const kind = params.norm === 'inf' ? Number.POSITIVE_INFINITY : 2;
      const norm = await globalNorm(
        tf,
        gradients.map(([, gradient]) => gradient),
        kind,
      );
      run.emit({ type: 'metrics', time: Date.now(), node: name, progress, metrics: { gradient_norm: norm } });
      const scale = params.max_norm / (norm + 1e-6);
      // a norm that is not finite is left to hook/nan_watch: scaling would hide it
      if (!(scale < 1)) return;
      for (const [parameter, gradient] of gradients) {
        run.parameters.get(parameter)!.setGradient(ops.noGrad(() => tf.mul(gradient, scale)));
      }
    },
  }),
});
