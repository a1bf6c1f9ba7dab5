import type { RunView } from '../../runtime/events.ts';
import { defineNode, T } from '../../runtime/node.ts';
import { momentumAt, movedAverage } from './moving-average.ts';

/**
 * Keeps momentum encoders: nodes whose weights follow those of others as a moving average. At the start of training they
 * are copies; after each update w' = m·w' + (1 − m)·w. He et al. 2020, arXiv:1911.05722. With `schedule: "cosine"` m rises
 * from `momentum` to 1 (BYOL, DINO). Running statistics of batch norm are left to the encoder's own batches (MoCo),
 * copied (SwAV), or averaged too.
 * VISSL moves the average before the next forward pass of the momentum encoder; no weight changes in between.
 */
export default defineNode({
  type: 'hook/momentum_update',
  description: 'Weights of momentum encoders as moving averages of trained ones (arXiv:1911.05722).',
  role: 'hook',
  params: T.Object({
    encoders: T.Record(T.String(), T.String(), {
      description: 'momentum node → trained node of the same architecture, {"trunk_k": "trunk", "head_k": "head"}',
    }),
    momentum: T.Number({ default: 0.999, minimum: 0, maximum: 1, description: 'share of the old weights kept' }),
    schedule: T.Union([T.Literal('constant'), T.Literal('cosine')], {
      default: 'constant',
      description: 'cosine: from momentum to 1 over the run',
    }),
    statistics: T.Union([T.Literal('own'), T.Literal('copy'), T.Literal('average')], {
      default: 'own',
      description: 'running statistics: of its own batches, copied, or averaged',
    }),
  }),
  show: ['encoders', 'momentum'],
  create: ({ params, tf, ops }) => {
    const pairs = (views: RunView['parameters']) =>
      Object.entries(params.encoders).flatMap(([follower, leader]) => {
        const found = [...views].filter(([, view]) => view.node === follower);
        return found.map(([name, view]) => {
          const source = views.get(leader + name.slice(follower.length));
          if (source) return { view, source };
          throw new Error(`hook/momentum_update: ${leader} has nothing for ${name}. Give both nodes the same params`);
        });
      });
    const follow = (views: RunView['parameters'], keep: number) => {
      for (const { view, source } of pairs(views)) {
        const moved = ops.noGrad(() => movedAverage(tf, view.value(), source.value(), keep));
        view.assign(moved);
        moved.dispose();
      }
    };
    return {
      start({ progress }, run) {
        for (const [follower, leader] of Object.entries(params.encoders)) {
          for (const node of [follower, leader]) {
            if ([...run.parameters.values()].some((view) => view.node === node)) continue;
            throw new Error(`hook/momentum_update: ${node} is no node with parameters`);
          }
        }
        if (progress.iteration > 0) return;
        follow(run.parameters, 0);
        follow(run.buffers, 0);
      },
      update({ progress }, run) {
        const keep =
          params.schedule === 'constant'
            ? params.momentum
            : momentumAt(progress.iteration - 1, progress.maxIterations, params.momentum);
        follow(run.parameters, keep);
        if (params.statistics !== 'own') follow(run.buffers, params.statistics === 'copy' ? 0 : keep);
      },
    };
  },
});
