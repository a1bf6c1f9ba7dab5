import { defineNode, nested, T } from '../../runtime/node.ts';
import { EPSILON, updateInterval } from './update-interval.ts';

const TYPE = 'schedule/composite';

/**
 * Schedules one after the other. A `rescaled` part runs from its own begin to its own end; a `fixed` part is read at
 * the position in the whole training, as if it had begun with it: linear [0.1] then a fixed cosine does not pass
 * through the cosine's start. The parts' own update intervals do not count.
 */
export default defineNode({
  type: TYPE,
  description: 'Schedules one after the other, such as a warm-up and a decay.',
  aliases: ['composite'],
  role: 'schedule',
  params: T.Object({
    schedules: T.Array(nested('schedule', { number: true, description: 'one part' }), {
      minItems: 1,
      description: 'the parts (schedulers in VISSL)',
    }),
    lengths: T.Array(T.Number(), { minItems: 1, description: 'share of training of each part; together 1' }),
    interval_scaling: T.Optional(
      T.Array(T.Union([T.Literal('rescaled'), T.Literal('fixed')]), {
        description: 'what a part is read at: its own progress, or that of the whole; default: rescaled for all',
      }),
    ),
    update_interval: updateInterval('step'),
  }),
  show: ['schedules', 'lengths'],
  interval: ({ update_interval }) => update_interval,
  create: ({ params, nested: open }) => {
    const { schedules, lengths, interval_scaling = schedules.map(() => 'rescaled' as const) } = params;
    if (schedules.length === 0) throw new RangeError(`${TYPE}: schedules is empty. Give at least one part`);
    if (lengths.length !== schedules.length) {
      throw new RangeError(`${TYPE}: ${lengths.length} lengths for ${schedules.length} schedules. Give one for each`);
    }
    if (interval_scaling.length !== schedules.length) {
      throw new RangeError(
        `${TYPE}: ${interval_scaling.length} interval_scaling for ${schedules.length} schedules. Give one for each`,
      );
    }
    const sum = lengths.reduce((a, b) => a + b, 0);
    if (Math.abs(sum - 1) >= 1e-3) throw new RangeError(`${TYPE}: the lengths sum to ${sum}. Make them sum to 1`);
    const parts = schedules.map(open);
    return (where) => {
      let part = 0;
      let end = lengths[0];
      while (where + EPSILON > end && part < parts.length - 1) end += lengths[++part];
      const own = interval_scaling[part] === 'fixed' ? where : (where - (end - lengths[part])) / lengths[part];
      return parts[part](own);
    };
  },
});
