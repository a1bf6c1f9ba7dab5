import { defineNode, phase, T } from '../../runtime/node.ts';
import { outputsPort, targetPort, validPort } from './outputs.ts';
import { checkTopk, createTopkMeter, topkParams } from './top-k.ts';

/**
 * Share of rows, in percent, whose class is among the k best, per output. Soft targets [N, C] count what of them lies among the k best.
 * Rows with label -1 and stand-ins for bad images do not count. Of classes with equal scores the first counts as better.
 */
export default defineNode({
  type: 'meter/accuracy_list',
  description: 'Top-k accuracy of one or several outputs, in percent.',
  aliases: ['accuracy_list_meter'],
  role: 'meter',
  params: T.Object(topkParams),
  inputs: { outputs: outputsPort, label: targetPort, valid: validPort },
  outputs: { metrics: phase.metrics({ description: 'top_k per k, by output where there are several' }) },
  show: ['topk'],
  infer: ({ params, inputs, problem }) => {
    checkTopk(params, inputs, problem);
    return {};
  },
  create: (context) => createTopkMeter(context, { whole: (rows) => rows }),
});
