import { defineNode, T } from '../../runtime/node.ts';

/** Asks for checkpoints. The end of training is always saved, with or without this hook. */
export default defineNode({
  type: 'hook/checkpoint',
  description: 'Saves the run every few epochs or iterations, so that it can be resumed.',
  role: 'hook',
  params: T.Object({
    every: T.Union([T.Literal('epoch'), T.Integer({ minimum: 1 })], {
      default: 'epoch',
      description: 'after every epoch, or every n epochs',
    }),
    first: T.Boolean({
      default: false,
      description: 'also after the first epoch, and count from there: 1, 1 + n, 1 + 2n, … (as VISSL does)',
    }),
    iterations: T.Optional(T.Integer({ minimum: 1, description: 'also after every n iterations; default: not' })),
    keep: T.Integer({ default: 0, minimum: 0, description: 'newest to keep; older ones are deleted; 0: keep all' }),
  }),
  show: ['every', 'iterations', 'keep'],
  create: ({ params: { every, first, iterations, keep } }) => {
    const epochs = every === 'epoch' ? 1 : every;
    return {
      async step({ progress }, run) {
        if (!iterations || !progress.training || progress.iteration % iterations !== 0) return;
        await run.checkpoint(`iteration ${progress.iteration}`, { keep });
      },
      async phase_end({ progress }, run) {
        const done = progress.epoch + 1;
        const counted = first ? done - 1 : done;
        if (!progress.training || counted % epochs !== 0 || done === progress.epochs) return;
        await run.checkpoint(`epoch ${done}`, { keep });
      },
    };
  },
});
