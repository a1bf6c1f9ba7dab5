import { batch, defineNode, phase, T } from '../../runtime/node.ts';
import { meanAp, readRows } from './multi-label.ts';
import { validPort } from './outputs.ts';
import { createScoreRows } from './score-rows.ts';

/**
 * Mean over classes of the average precision (area under the interpolated precision-recall curve) of one output, as
 * fractions. A target of -1 leaves the image out for that class; a class without positives has AP -1 and does not count.
 * Keeps all scores of the phase in host memory: 5 bytes per image and class.
 */
export default defineNode({
  type: 'meter/mean_ap',
  description: 'Mean average precision of one output against multi-label targets.',
  aliases: ['mean_ap_meter'],
  role: 'meter',
  params: T.Object({ num_classes: T.Integer({ minimum: 1, description: 'number of classes' }) }),
  inputs: {
    outputs: batch.tensor('float32', ['N', 'C'], { description: 'scores; larger is more certain' }),
    label: batch.label(['N', 'C'], { description: '1, 0, or -1 where it is not known' }),
    valid: validPort,
  },
  outputs: { metrics: phase.metrics({ description: 'mAP, and AP per class' }) },
  show: ['num_classes'],
  create: ({ params: { num_classes: classes }, tf, ranks, state }) => {
    const rows = createScoreRows(state, '');
    return {
      reset: rows.reset,
      async add(inputs) {
        const { scores, targets } = await readRows(inputs.outputs, inputs.label, classes, inputs.valid);
        rows.add(scores, targets);
      },
      async finish() {
        const AP = await rows.averagePrecisions(tf, ranks, classes);
        return { metrics: { mAP: meanAp(AP), AP: [...AP] } };
      },
    };
  },
});
