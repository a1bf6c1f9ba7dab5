import { batch, defineNode, phase, T } from '../../runtime/node.ts';
import { meanAp, readRows } from './multi-label.ts';
import { byOutput, checkNames, namesParam, outputList, outputsPort, validPort } from './outputs.ts';
import { createScoreRows } from './score-rows.ts';

/**
 * meter/mean_ap of one or several outputs that are logits: a sigmoid goes before. mAP in percent, AP per class as
 * fractions, as in VISSL.
 */
export default defineNode({
  type: 'meter/mean_ap_list',
  description: 'Mean average precision of one or several outputs of logits, in percent.',
  aliases: ['mean_ap_list_meter'],
  role: 'meter',
  params: T.Object({
    num_classes: T.Integer({
      default: 9605,
      minimum: 1,
      description: 'number of classes; the default is OpenImages v6',
    }),
    names: namesParam,
  }),
  inputs: {
    outputs: outputsPort,
    label: batch.label(['N', 'C'], { description: '1, 0, or -1 where it is not known' }),
    valid: validPort,
  },
  outputs: { metrics: phase.metrics({ description: 'mAP, and AP per class, by output where there are several' }) },
  show: ['num_classes'],
  infer: ({ params, inputs, problem }) => {
    checkNames(params.names, inputs, problem);
    return {};
  },
  create: ({ params, tf, ops, ranks, state, refs }) => {
    const { num_classes: classes, names } = params;
    const each = Array.from({ length: refs.outputs?.length ?? 1 }, (_, i) => createScoreRows(state, `_${i}`));
    return {
      reset() {
        for (const rows of each) rows.reset();
      },
      async add(inputs) {
        const outputs = outputList(inputs.outputs);
        if (outputs.length !== each.length) {
          throw new Error(`there are ${outputs.length} outputs instead of ${each.length}`);
        }
        for (const [i, output] of outputs.entries()) {
          const likely = ops.noGrad(() => tf.sigmoid(output));
          const { scores, targets } = await readRows(likely, inputs.label, classes, inputs.valid);
          each[i].add(scores, targets);
        }
      },
      async finish() {
        const aps: Float64Array[] = [];
        for (const rows of each) aps.push(await rows.averagePrecisions(tf, ranks, classes));
        const percents = aps.map((ap) => 100 * (Math.round(meanAp(ap) * 1e6) / 1e6));
        const AP = byOutput(
          aps.map((ap) => [...ap]),
          names,
          refs.outputs,
        );
        return { metrics: { mAP: byOutput(percents, names, refs.outputs), AP } };
      },
    };
  },
});
