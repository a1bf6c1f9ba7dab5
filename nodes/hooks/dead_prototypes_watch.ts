import { defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';

/**
 * Warns when many prototypes are no image's best: over the last iterations, counted by the largest score of each row.
 * A prototype that nothing is assigned to learns nothing. Waits for: forward.
 */
export default defineNode({
  type: 'hook/dead_prototypes_watch',
  description: 'Warns when prototypes are not used (SwAV, DINO, DeepCluster-v2).',
  role: 'hook',
  params: T.Object({
    scores: T.String({ description: 'output with the scores, "head.scores"; [N, K] or a list of them' }),
    every: T.Integer({ default: 500, minimum: 1, description: 'iterations that the assignments are counted over' }),
    share: T.Number({ default: 0.5, exclusiveMinimum: 0, maximum: 1, description: 'share of unused ones to warn at' }),
  }),
  show: ['scores'],
  create: ({ params, tf, ops, name }) => {
    /** per head: prototypes that were the best of a row */
    let used: Set<number>[] = [];
    let rows = 0;
    let warned = false;
    return {
      async forward({ progress }, run) {
        if (!progress.training) return;
        const output = run.output(params.scores);
        if (output === undefined) return;
        const heads = [output].flat() as Tensor[];
        rows += heads[0].shape[0]!;
        for (const [head, scores] of heads.entries()) {
          used[head] ??= new Set();
          const best = ops.noGrad(() => tf.argMax(scores, 1));
          for (const prototype of (await best.data()) as Int32Array) used[head].add(prototype);
          best.dispose();
        }
        if (progress.iteration % params.every !== 0) return;
        const shares = heads.map((scores, head) => 1 - used[head].size / scores.shape[1]!);
        const dead = Math.max(...shares);
        run.emit({ type: 'metrics', time: Date.now(), node: name, progress, metrics: { dead_prototypes: dead } });
        const enough = rows >= heads[0].shape[1]!;
        if (dead >= params.share && enough && !warned) {
          run.notice(
            'warning',
            `${(100 * dead).toFixed(0)} % of the prototypes of ${params.scores} were no image's best in ${rows} rows, up to iteration ${progress.iteration}`,
            'Known cures: fewer prototypes, a smaller epsilon or more Sinkhorn iterations, a queue for small batches, prototypes frozen for the first epoch',
          );
        }
        warned = dead >= params.share;
        used = [];
        rows = 0;
      },
      save: () => ({ used: used.map((own) => [...own]), rows, warned }),
      load(state) {
        const saved = state as { used: number[][]; rows: number; warned: boolean };
        used = saved.used.map((own) => new Set(own));
        ({ rows, warned } = saved);
      },
    };
  },
});
