import { defineNode, T } from '../../runtime/node.ts';
import { updateInterval } from './update-interval.ts';

export default defineNode({
  type: 'schedule/constant',
  description: 'The same value throughout.',
  aliases: ['constant'],
  role: 'schedule',
  params: T.Object({
    value: T.Number({ description: 'the value' }),
    update_interval: updateInterval('epoch'),
  }),
  show: ['value'],
  interval: ({ update_interval }) => update_interval,
  create:
    ({ params }) =>
    () =>
      params.value,
});
