import { defineNode, T } from '../../runtime/node.ts';
import { EPSILON, updateInterval } from './update-interval.ts';

const TYPE = 'schedule/multistep';

/**
 * values[i] from milestone i − 1 on, in epochs. Without milestones the epochs are cut into equal parts of whole epochs
 * (rounded up). With as many milestones as values the last one is the length of the schedule, in place of `epochs`.
 */
export default defineNode({
  type: TYPE,
  description: 'One value after the other, changing at the given epochs.',
  aliases: ['multistep'],
  role: 'schedule',
  params: T.Object({
    values: T.Array(T.Number(), { minItems: 1, description: 'the values in order' }),
    milestones: T.Optional(
      T.Array(T.Integer(), { description: 'epochs at which the next value begins; default: equal parts' }),
    ),
    epochs: T.Optional(T.Integer({ minimum: 1, description: 'length in epochs; default: the epochs of the run' })),
    update_interval: updateInterval('epoch'),
  }),
  show: ['values', 'milestones'],
  interval: ({ update_interval }) => update_interval,
  create: ({ params, epochs: runEpochs }) => {
    const { values } = params;
    let { milestones, epochs } = params;
    if (values.length === 0) throw new RangeError(`${TYPE}: values is empty. Give at least one value`);
    if (milestones && epochs === undefined && milestones.length === values.length) {
      epochs = milestones.at(-1);
      milestones = milestones.slice(0, -1);
    }
    epochs ??= runEpochs;
    if (!(epochs > 0)) throw new RangeError(`${TYPE}: there are ${epochs} epochs. It needs at least one`);
    if (epochs < values.length) {
      throw new RangeError(`${TYPE}: ${values.length} values do not fit in ${epochs} epochs. Give fewer values`);
    }
    const width = Math.ceil(epochs / values.length);
    milestones ??= values.slice(1).map((_, i) => width * (i + 1));
    requireMilestones(milestones, values.length - 1, epochs);
    return (where) => {
      const epoch = Math.floor((where + EPSILON) * epochs);
      const passed = milestones.findIndex((milestone) => milestone > epoch);
      return values[passed < 0 ? milestones.length : passed];
    };
  },
});

function requireMilestones(milestones: readonly number[], count: number, epochs: number): void {
  if (milestones.length !== count) {
    throw new RangeError(
      `${TYPE}: ${milestones.length} milestones for ${count + 1} values. Give ${count}, one for each change of value`,
    );
  }
  milestones.forEach((milestone, i) => {
    const before = i === 0 ? 0 : milestones[i - 1];
    if (milestone >= epochs) {
      throw new RangeError(`${TYPE}: the milestone ${milestone} is not before the end, epoch ${epochs}`);
    }
    if (milestone <= before) {
      throw new RangeError(`${TYPE}: the milestone ${milestone} does not come after ${before}. Milestones must grow`);
    }
  });
}
