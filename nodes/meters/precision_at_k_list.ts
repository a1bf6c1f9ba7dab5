import { defineNode, phase, T } from '../../runtime/node.ts';
import { outputsPort, targetPort, validPort } from './outputs.ts';
import { checkTopk, createTopkMeter, topkParams } from './top-k.ts';

/**
 * Share of the k best classes of all rows, in percent, that apply, per output. 0 without rows.
 * Rows with label -1 and stand-ins for bad images do not count. Of classes with equal scores the first counts as better.
 */
export default defineNode({
  type: 'meter/precision_at_k_list',
  description: 'Precision at k of one or several outputs against multi-label targets, in percent.',
  aliases: ['precision_at_k_list_meter'],
  role: 'meter',
  params: T.Object(topkParams),
  inputs: { outputs: outputsPort, label: targetPort, valid: validPort },
  outputs: { metrics: phase.metrics({ description: 'top_k per k, by output where there are several' }) },
  show: ['topk'],
  infer: ({ params, inputs, problem }) => {
    checkTopk(params, inputs, problem);
    return {};
  },
  create: (context) => createTopkMeter(context, { whole: (rows, _targets, k) => rows * k }),
});
