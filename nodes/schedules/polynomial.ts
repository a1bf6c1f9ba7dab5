import { defineNode, T } from '../../runtime/node.ts';
import { updateInterval } from './update-interval.ts';

/** start·(1 − w)^power. */
export default defineNode({
  type: 'schedule/polynomial',
  description: 'A power of the training that is left, down to zero.',
  aliases: ['polynomial'],
  role: 'schedule',
  params: T.Object({
    start: T.Number({ description: 'value at the begin (base_value in VISSL)' }),
    power: T.Number({ description: 'exponent' }),
    update_interval: updateInterval('step'),
  }),
  show: ['start', 'power'],
  interval: ({ update_interval }) => update_interval,
  create:
    ({ params: { start, power } }) =>
    (where) =>
      start * (1 - where) ** power,
});
