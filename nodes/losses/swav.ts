import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { batch, type ComputeContext, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { writeSafetensors } from '../../runtime/train/safetensors.ts';
import { queueFacts } from './derived.ts';
import { assign } from './swav-assign.ts';
import { cropCount, openQueue, predictionLoss, requirePrototypes, rowsPerCrop, swavParams } from './swav-parts.ts';

/**
 * SwAV: each assign crop's images are assigned to prototypes (Sinkhorn-Knopp over the batch of all ranks and the queue),
 * and every other crop predicts the assignment. Caron et al. 2020, arXiv:2006.09882.
 * Per head, assign crop and predicted crop: −mean Σ q·log softmax(scores / temperature); averaged over all three.
 *
 * The queue holds `queue_length` embeddings over all ranks, less what is no whole number of batches, for each assign
 * crop, and takes part from step `start_iter` on. As in the reference code the first batch that uses it sees random
 * scores; from then on they are those of the current prototypes. When the loss is not finite, scores and assignments of
 * the step are written to the run folder under nan/.
 */
export default defineNode({
  type: 'loss/swav',
  description: 'SwAV: predict the prototype assignment of one crop from the others (arXiv:2006.09882).',
  aliases: ['swav_loss'],
  role: 'loss',
  params: T.Object({
    ...swavParams('embeddings of past images in the assignments, for small batches'),
    temp_hard_assignment_iters: T.Integer({
      default: 0,
      minimum: 0,
      description: 'first steps in which an image belongs to one prototype wholly',
    }),
    use_double_precision: T.Boolean({
      default: false,
      description: 'Sinkhorn-Knopp in float64 on the host (tensors have no float64); slower',
    }),
    shk_powerlaw: T.Number({
      default: 0,
      minimum: 0,
      description: 'exponent of a power law of the sizes of prototypes; 0: all alike',
    }),
  }),
  inputs: {
    scores: batch.tensor('float32', ['V*N', 'K'], { list: true, description: 'crop-major, one per prototype set' }),
    embeddings: batch.tensor('float32', ['V*N', 'D'], { description: 'crop-major' }),
    prototypes: batch.weights(['D', 'K'], { list: true, optional: true, description: 'needed with a queue' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['temperature', 'epsilon'],
  derives: (context) => queueFacts(context, context.params.queue.queue_length),
  brings: ({ params, inputs }) => {
    const head = inputs.scores?.[0]?.split('.')[0];
    return params.normalize_last_layer && head ? [{ type: 'hook/normalize_prototypes', head }] : [];
  },
  create: (context) => {
    const { params, tf, ops, ranks, state } = context;
    const iteration = state.number('num_iteration', 0);
    const queueWasUsed = state.number('use_queue', 0);
    const queue = openQueue(context, { embeddings: 'embeddings', scores: 'scores', prototypes: 'prototypes' });
    let held: Record<string, Tensor> = {};
    const hold = (name: string, tensor: Tensor) => {
      held[name] = ops.noGrad(() => tf.keep(tf.clone(tensor)));
    };
    const release = () => {
      tf.dispose(held);
      held = {};
    };
    const crops = cropCount(context, params.crops_for_assign);

    return {
      async run(inputs, step) {
        release();
        const scores = inputs.scores as readonly Tensor[];
        const embeddings = inputs.embeddings as Tensor;
        const rows = rowsPerCrop(embeddings.shape[0], crops);
        if (queue && queueWasUsed.value) queue.rescore(requirePrototypes(inputs.prototypes));
        const usesQueue = queue !== undefined && iteration.value >= params.queue.start_iter;
        const losses: Tensor[] = [];
        for (const [head, all] of scores.entries()) {
          hold(`scores${head}`, all);
          const targets: Tensor[] = [];
          for (const [i, crop] of params.crops_for_assign.entries()) {
            const own = ops.noGrad(() => tf.slice(all, [crop * rows, 0], [rows, all.shape[1]!]));
            const queued = usesQueue ? queue.scores(head, i) : null;
            const target = await assign({ tf, ops, ranks }, own, queued, params.epsilon, {
              iterations: params.num_iters,
              powerLaw: params.shk_powerlaw,
              inDouble: params.use_double_precision,
              hard: iteration.value < params.temp_hard_assignment_iters,
            });
            hold(`assignments${head}_${i}`, target);
            targets.push(target);
          }
          losses.push(predictionLoss(context, all, targets, params.crops_for_assign, crops, params.temperature));
        }
        const loss = tf.div(tf.addN(losses), losses.length);
        if (step.training) {
          iteration.value += 1;
          queueWasUsed.value = usesQueue ? 1 : 0;
          if (usesQueue) queue.push(embeddings, rows);
        }
        return { loss };
      },
      hooks: {
        async loss_and_meter(event, run) {
          if (event.loss !== undefined && !Number.isFinite(event.loss)) {
            const file = await dump(context, held, event.progress.iteration);
            run.notice('warning', `the loss is ${event.loss}; scores and assignments are in ${file}`);
          }
          release();
        },
      },
    };
  },
});

async function dump(
  { run, ranks, name }: ComputeContext<unknown>,
  tensors: Readonly<Record<string, Tensor>>,
  iteration: number,
): Promise<string> {
  const folder = join(run.out, 'nan');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `rank${ranks.rank}_${name}_step${iteration}.safetensors`);
  await writeSafetensors(
    file,
    Object.entries(tensors).map(([tensorName, tensor]) => ({
      name: tensorName,
      dtype: 'F32' as const,
      shape: tensor.shape,
      read: async () => (await tensor.data()) as Float32Array,
    })),
  );
  return file;
}
