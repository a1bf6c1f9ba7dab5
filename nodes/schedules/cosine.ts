import { defineNode, T } from '../../runtime/node.ts';
import { updateInterval } from './update-interval.ts';

/** end + (start − end)·(1 + cos πw) / 2. Loshchilov and Hutter 2017, arXiv:1608.03983, without restarts. */
export default defineNode({
  type: 'schedule/cosine',
  description: 'Half a cosine wave from start to end (arXiv:1608.03983 without restarts).',
  aliases: ['cosine'],
  role: 'schedule',
  params: T.Object({
    start: T.Number({ description: 'value at the begin (start_value in VISSL)' }),
    end: T.Number({ default: 0, description: 'value at the end (end_value in VISSL)' }),
    update_interval: updateInterval('step'),
  }),
  show: ['start', 'end'],
  interval: ({ update_interval }) => update_interval,
  create:
    ({ params: { start, end } }) =>
    (where) =>
      end + 0.5 * (start - end) * (1 + Math.cos(Math.PI * where)),
});
