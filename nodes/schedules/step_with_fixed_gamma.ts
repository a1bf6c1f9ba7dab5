import { defineNode, T } from '../../runtime/node.ts';
import { slices } from './slices.ts';
import { updateInterval } from './update-interval.ts';

/** start·gamma^k in the k-th of num_decays + 1 equal shares of training. */
export default defineNode({
  type: 'schedule/step_with_fixed_gamma',
  description: 'Multiplied by gamma a number of times, at equal distances.',
  aliases: ['step_with_fixed_gamma'],
  role: 'schedule',
  params: T.Object({
    start: T.Number({ description: 'first value (base_value in VISSL)' }),
    gamma: T.Number({ description: 'factor of each decay' }),
    num_decays: T.Integer({ minimum: 0, description: 'number of decays' }),
    update_interval: updateInterval('step'),
  }),
  show: ['start', 'gamma', 'num_decays'],
  interval: ({ update_interval }) => update_interval,
  create: ({ params: { start, gamma, num_decays }, epochs }) => {
    const values = [start];
    for (let decay = 0; decay < num_decays; decay++) values.push(values[decay] * gamma);
    return slices('schedule/step_with_fixed_gamma', values, epochs);
  },
});
