import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { queueFacts } from './derived.ts';
import { assign } from './swav-assign.ts';
import { cropCount, openQueue, predictionLoss, requirePrototypes, rowsPerCrop, swavParams } from './swav-parts.ts';

/**
 * SwAV whose assignments come from a momentum encoder. Caron et al. 2020, arXiv:2006.09882. `momentum_scores` and
 * `momentum_embeddings` hold the assign crops only, in the order of `crops_for_assign`. A queue that is in use is scored
 * by the momentum prototypes before the assignments.
 * Difference from the reference code: scores are shifted before exp and an empty prototype is repaired, as in loss/swav;
 * the assignments are the same where the reference's are finite.
 */
export default defineNode({
  type: 'loss/swav_momentum',
  description: 'SwAV with assignments from a momentum encoder (arXiv:2006.09882).',
  aliases: ['swav_momentum_loss'],
  role: 'loss',
  params: T.Object(swavParams('momentum embeddings of past images in the assignments')),
  inputs: {
    scores: batch.tensor('float32', ['V*N', 'K'], { list: true, description: 'crop-major, one per prototype set' }),
    momentum_scores: batch.tensor('float32', ['A*N', 'K'], { list: true, description: 'of the assign crops' }),
    momentum_embeddings: batch.tensor('float32', ['A*N', 'D'], { description: 'of the assign crops' }),
    momentum_prototypes: batch.weights(['D', 'K'], { list: true, optional: true, description: 'needed with a queue' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['temperature', 'epsilon'],
  derives: (context) => queueFacts(context, context.params.queue.queue_length),
  brings: ({ params, inputs }) => {
    const heads = [inputs.scores, inputs.momentum_scores].flatMap((refs) => refs?.[0]?.split('.')[0] ?? []);
    return params.normalize_last_layer ? heads.map((head) => ({ type: 'hook/normalize_prototypes', head })) : [];
  },
  create: (context) => {
    const { params, tf, ops, ranks, state } = context;
    const iteration = state.number('num_iteration', 0);
    const crops = cropCount(context, params.crops_for_assign);
    const queue = openQueue(context, {
      embeddings: 'momentum_embeddings',
      scores: 'momentum_scores',
      prototypes: 'momentum_prototypes',
    });
    const options = { iterations: params.num_iters, powerLaw: 0, inDouble: false, hard: false };
    return async (inputs, step) => {
      const scores = inputs.scores as readonly Tensor[];
      const momentumScores = inputs.momentum_scores as readonly Tensor[];
      const rows = rowsPerCrop(scores[0].shape[0], crops);
      const usesQueue = queue !== undefined && iteration.value >= params.queue.start_iter;
      if (usesQueue) queue.rescore(requirePrototypes(inputs.momentum_prototypes));
      const losses: Tensor[] = [];
      for (const [head, all] of scores.entries()) {
        const targets: Tensor[] = [];
        for (const i of params.crops_for_assign.keys()) {
          const own = ops.noGrad(() => tf.slice(momentumScores[head], [i * rows, 0], [rows, all.shape[1]!]));
          const queued = usesQueue ? queue.scores(head, i) : null;
          targets.push(await assign({ tf, ops, ranks }, own, queued, params.epsilon, options));
        }
        losses.push(predictionLoss(context, all, targets, params.crops_for_assign, crops, params.temperature));
      }
      if (step.training) {
        iteration.value += 1;
        if (usesQueue) queue.push(inputs.momentum_embeddings, rows, [...params.crops_for_assign.keys()]);
      }
      return { loss: tf.div(tf.addN(losses), losses.length) };
    };
  },
});
