import { stdOfL2Normalized } from '../../runtime/lightly/std-of-l2-normalized.ts';
import { defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';

/** Watches the spread of embeddings and warns when it falls towards 0: all images get the same embedding. */
export default defineNode({
  type: 'hook/collapse_watch',
  description: 'Warns when embeddings collapse to one point.',
  role: 'hook',
  params: T.Object({
    embeddings: T.String({ description: 'output to watch, such as "head.embeddings"; [N, D]' }),
    every: T.Integer({ default: 50, minimum: 1, description: 'iterations between two looks' }),
    share: T.Number({
      default: 0.1,
      exclusiveMinimum: 0,
      maximum: 1,
      description: 'warn below this share of 1/√D, the spread of embeddings in all directions',
    }),
  }),
  show: ['embeddings'],
  create: ({ params, name }) => {
    let warned = false;
    return {
      async forward({ progress }, run) {
        if (!progress.training || progress.iteration % params.every !== 0) return;
        const output = run.output(params.embeddings);
        if (output === undefined) return;
        const tensor = (Array.isArray(output) ? output[0] : output) as Tensor;
        const [rows, width] = tensor.shape;
        if (tensor.shape.length !== 2 || rows < 2) return;
        const std = stdOfL2Normalized(await tensor.data(), tensor.shape);
        run.emit({ type: 'metrics', time: Date.now(), node: name, progress, metrics: { embedding_std: std } });
        const low = std < params.share / Math.sqrt(width);
        if (low && !warned) {
          const message = `the embeddings ${params.embeddings} collapse: their spread is ${std.toExponential(2)} at iteration ${progress.iteration}, where 1/√D is ${(1 / Math.sqrt(width)).toFixed(3)}`;
          const cure =
            'Known cures: a lower learning rate, stronger augmentation, batch norm in the head; for SwAV a smaller epsilon, for momentum methods a larger momentum';
          run.notice('warning', message, cure);
        }
        warned = low;
      },
    };
  },
});
