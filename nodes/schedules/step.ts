import { defineNode, T } from '../../runtime/node.ts';
import { slices } from './slices.ts';
import { updateInterval } from './update-interval.ts';

export default defineNode({
  type: 'schedule/step',
  description: 'One value after the other, each for an equal share of training.',
  aliases: ['step'],
  role: 'schedule',
  params: T.Object({
    values: T.Array(T.Number(), { minItems: 1, description: 'the values in order' }),
    update_interval: updateInterval('epoch'),
  }),
  show: ['values'],
  interval: ({ update_interval }) => update_interval,
  create: ({ params, epochs }) => slices('schedule/step', params.values, epochs),
});
