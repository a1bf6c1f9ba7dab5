import { defineNode, T } from '../../runtime/node.ts';
import { updateInterval } from './update-interval.ts';

/**
 * Cosine waves that begin anew, every `restart_interval_length` of training. A half wave falls from the highest value to
 * `end` and jumps back; a full wave falls and rises again, so that only its first part is half. The highest value after
 * restart k is start·lr_multiplier^k, or, adaptive, the value that one cosine over the whole training has there.
 * Loshchilov and Hutter 2017, arXiv:1608.03983.
 */
export default defineNode({
  type: 'schedule/cosine_warm_restart',
  description: 'Cosine waves with warm restarts (SGDR, arXiv:1608.03983).',
  aliases: ['cosine_warm_restart'],
  role: 'schedule',
  params: T.Object({
    start: T.Number({ description: 'highest value of the first wave (start_value in VISSL)' }),
    end: T.Number({ default: 0, description: 'lowest value (end_value in VISSL)' }),
    restart_interval_length: T.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      description: 'share of training of half a wave',
    }),
    wave_type: T.Union([T.Literal('half'), T.Literal('full')], { default: 'half', description: 'half or full waves' }),
    lr_multiplier: T.Number({ default: 1, description: 'factor on the highest value at each restart' }),
    is_adaptive: T.Boolean({ default: false, description: 'highest values follow the plain cosine instead' }),
    update_interval: updateInterval('step'),
  }),
  show: ['start', 'end', 'restart_interval_length'],
  interval: ({ update_interval }) => update_interval,
  create: ({ params }) => {
    const { start, end, restart_interval_length: length, wave_type, lr_multiplier, is_adaptive } = params;
    const half = wave_type === 'half';
    const points = [0];
    for (let point = length; point < 1; point += half ? length : 2 * length) points.push(point);
    const cosine = (high: number, x: number) => end + 0.5 * (high - end) * (1 + Math.cos(Math.PI * x));
    return (where) => {
      const restart = points.findLastIndex((point) => point <= where);
      const high = is_adaptive
        ? cosine(start, half ? points[restart] : length + points[restart])
        : start * lr_multiplier ** restart;
      return cosine(high, half ? (where % length) / length : where / length);
    };
  },
});
