import { defineNode, T } from '../../runtime/node.ts';
import { updateInterval } from './update-interval.ts';

/** start·(1 − w) + end·w. */
export default defineNode({
  type: 'schedule/linear',
  description: 'A straight line from start to end.',
  aliases: ['linear'],
  role: 'schedule',
  params: T.Object({
    start: T.Number({ description: 'value at the begin (start_value in VISSL)' }),
    end: T.Number({ description: 'value at the end (end_value in VISSL)' }),
    update_interval: updateInterval('step'),
  }),
  show: ['start', 'end'],
  interval: ({ update_interval }) => update_interval,
  create:
    ({ params: { start, end } }) =>
    (where) =>
      start * (1 - where) + end * where,
});
