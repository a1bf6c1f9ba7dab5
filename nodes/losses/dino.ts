import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { known } from './derived.ts';
import { cropCount, predictionLoss, rowsPerCrop } from './swav-parts.ts';

/**
 * DINO: each crop of the student predicts the centred, sharpened output of the teacher for the other crops. Caron et al.
 * 2021, arXiv:2104.14294. The teacher's temperature rises in equal steps over the first `teacher_temp_warmup_iters`
 * steps; the centre is a moving average of the teacher's mean output over all ranks, moved after the loss.
 */
export default defineNode({
  type: 'loss/dino',
  description: 'DINO: self-distillation with a centred, sharpened teacher (arXiv:2104.14294).',
  aliases: ['dino_loss'],
  role: 'loss',
  params: T.Object({
    student_temp: T.Number({ default: 0.1, exclusiveMinimum: 0, description: "temperature of the student's softmax" }),
    teacher_temp_min: T.Number({ default: 0.04, exclusiveMinimum: 0, description: "teacher's temperature at first" }),
    teacher_temp_max: T.Number({ default: 0.07, exclusiveMinimum: 0, description: 'after the warm-up' }),
    teacher_temp_warmup_iters: T.Integer({
      default: 37500,
      minimum: 0,
      description: 'steps from the one to the other',
    }),
    crops_for_teacher: T.Array(T.Integer({ minimum: 0 }), {
      default: [0, 1],
      minItems: 1,
      uniqueItems: true,
      description: 'crops that the teacher sees, the first of all; its outputs hold them in this order',
    }),
    ema_center: T.Number({ default: 0.9, minimum: 0, maximum: 1, description: 'share of the old centre kept' }),
  }),
  inputs: {
    student: batch.tensor('float32', ['V*N', 'K'], { description: 'all crops, crop-major' }),
    teacher: batch.tensor('float32', ['A*N', 'K'], { description: 'crops_for_teacher, crop-major; no gradient' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['student_temp', 'teacher_temp_max'],
  derives: ({ symbols }) => known({ num_crops: symbols.V, output_dim: symbols.K }),
  create: (context) => {
    const { params, symbols, tf, ops, ranks, state } = context;
    const width = symbols.K;
    if (width === undefined) throw new Error('loss/dino cannot tell the width of its outputs');
    // crops are paired by their position among those of the teacher, as in the reference code
    const positions = [...params.crops_for_teacher.keys()];
    const crops = cropCount(context, positions);
    const center = state.tensor('center', [1, width], 'float32', () => 0);
    return async (inputs, step) => {
      const teacher = inputs.teacher as Tensor;
      const rows = rowsPerCrop(inputs.student.shape[0], crops);
      const temperature = teacherTemperature(step.iteration, params);
      const targets = ops.noGrad(() => {
        const soft = tf.softmax(tf.div(tf.sub(teacher, center), temperature));
        return positions.map((i) => tf.slice(soft, [i * rows, 0], [rows, width]));
      });
      const loss = predictionLoss(context, inputs.student, targets, positions, crops, params.student_temp);
      if (step.training) {
        const mean = await ranks.allReduce(
          ops.noGrad(() => tf.mean(teacher, 0, true)),
          'mean',
        );
        const moved = ops.noGrad(() => tf.add(tf.mul(center, params.ema_center), tf.mul(mean, 1 - params.ema_center)));
        center.assign(moved as never);
        moved.dispose();
      }
      return { loss };
    };
  },
});

/** Equal steps from the lowest, at iteration 0, to the highest, at the last of the warm-up. */
export function teacherTemperature(
  iteration: number,
  {
    teacher_temp_min: min,
    teacher_temp_max: max,
    teacher_temp_warmup_iters: warmup,
  }: {
    readonly teacher_temp_min: number;
    readonly teacher_temp_max: number;
    readonly teacher_temp_warmup_iters: number;
  },
): number {
  if (iteration >= warmup - 1) return warmup === 1 && iteration === 0 ? min : max;
  return min + ((max - min) * iteration) / (warmup - 1);
}
