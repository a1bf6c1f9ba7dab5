import { defineNode, T } from '../../runtime/node.ts';
import { updateInterval } from './update-interval.ts';

/**
 * start·√warmup / √w, so that the value is `start` where the warm-up ends; start / √w without a warm-up. At w = 0,
 * where this has no value, it is the numerator. Meant as the second part of a composite with fixed interval scaling.
 */
export default defineNode({
  type: 'schedule/inverse_sqrt',
  description: 'Decays with the inverse square root of training done.',
  aliases: ['inverse_sqrt'],
  role: 'schedule',
  params: T.Object({
    start: T.Number({ description: 'value at the end of the warm-up (start_value in VISSL)' }),
    warmup_interval_length: T.Number({
      default: 0,
      minimum: 0,
      maximum: 1,
      description: 'share of training that the warm-up before it takes; 0: none',
    }),
    update_interval: updateInterval('step'),
  }),
  show: ['start'],
  interval: ({ update_interval }) => update_interval,
  create: ({ params: { start, warmup_interval_length } }) => {
    const numerator = warmup_interval_length > 0 ? start * Math.sqrt(warmup_interval_length) : start;
    return (where) => (where > 0 ? numerator / Math.sqrt(where) : numerator);
  },
});
