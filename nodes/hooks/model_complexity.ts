import { formatShape } from '../../graph/dim.ts';
import { defineNode, T } from '../../runtime/node.ts';

/**
 * Says what the models cost for one image, at the start: parameters, multiply-accumulates and activations, per model and
 * per size of image. Waits for: start. The numbers come from the models' description; nothing is run.
 */
export default defineNode({
  type: 'hook/model_complexity',
  description: 'Parameters, FLOPs and activations of the models, at the start.',
  aliases: ['SSLModelComplexityHook'],
  role: 'hook',
  params: T.Object({}),
  create: () => ({
    start(_event, run) {
      if (run.rank > 0) return;
      for (const [name, { parameterCount, trainableCount, costs }] of run.models) {
        const frozen = trainableCount < parameterCount ? ` (${millions(trainableCount)} trained)` : '';
        run.notice('info', `${name}: ${millions(parameterCount)} parameters${frozen}`);
        for (const { input, flops, activations } of costs) {
          if (flops === undefined) continue;
          const billions = (flops / 1e9).toFixed(4);
          run.notice(
            'info',
            `${name}, one input of ${formatShape(input.slice(1))}: ${billions}·10⁹ FLOPs, ${millions(activations ?? 0)} activations`,
          );
        }
      }
    },
  }),
});

const millions = (count: number): string => `${(count / 1e6).toFixed(4)}·10⁶`;
