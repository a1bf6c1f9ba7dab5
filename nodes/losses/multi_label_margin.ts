import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { outputsPort, overOutputs, reductionParam, requireSameShape } from './classification.ts';

/**
 * Multi-label hinge loss: per row Σ_{t listed} Σ_{j not listed} max(0, 1 − x_t + x_j) / C. PyTorch's MultiLabelMarginLoss:
 * a row of the target lists its classes, and ends at the first −1; a row that lists none has the loss 0 and counts.
 */
export default defineNode({
  type: 'loss/multi_label_margin',
  description: 'Multi-label hinge loss of scores against lists of classes (MultiLabelMarginLoss of PyTorch).',
  aliases: ['MultiLabelMarginLoss'],
  role: 'loss',
  params: T.Object({ reduction: reductionParam }),
  inputs: {
    outputs: outputsPort('scores'),
    target: batch.tensor('int32', ['N', 'C'], { description: 'class indices that apply, then -1' }),
  },
  outputs: { loss: batch.scalar('float32') },
  kernels: ['Relu'],
  show: ['reduction'],
  create: ({ params, tf, ops }) =>
    overOutputs(tf, async (output, target) => {
      requireSameShape(output, target);
      const [rows, classes] = output.shape as [number, number];
      const lists = readLists((await target.data()) as Int32Array, rows, classes);
      // as many columns as the longest list: [N, T, C] is what this costs
      const width = Math.max(1, ...lists.map(({ length }) => length));
      const [own, pairs] = ops.noGrad(() => {
        const classAt = Int32Array.from(
          { length: rows * width },
          (_, i) => lists[Math.floor(i / width)][i % width] ?? 0,
        );
        const listed = Float32Array.from({ length: rows * width }, (_, i) =>
          i % width < lists[Math.floor(i / width)].length ? 1 : 0,
        );
        const others = new Float32Array(rows * classes).fill(1);
        lists.forEach((list, row) => {
          for (const label of list) others[row * classes + label] = 0;
        });
        const oneHot = tf.cast(tf.oneHot(tf.tensor1d(classAt, 'int32'), classes), 'float32');
        const divisor = classes * (params.reduction === 'mean' ? rows : 1);
        const share = tf.div(tf.tensor3d(listed, [rows, width, 1]), divisor);
        return [tf.reshape(oneHot, [rows, width, classes]), tf.mul(share, tf.tensor3d(others, [rows, 1, classes]))];
      });
      const scores = tf.reshape(output, [rows, 1, classes]);
      const ownScores: Tensor = tf.sum(tf.mul(own, scores), 2, true);
      return tf.sum(tf.mul(tf.relu(tf.add(tf.sub(scores, ownScores), 1)), pairs));
    }),
});

/** The classes of each row. @throws Error when one is no class */
function readLists(target: Int32Array, rows: number, classes: number): number[][] {
  return Array.from({ length: rows }, (_, row) => {
    const cells = [...target.subarray(row * classes, (row + 1) * classes)];
    const wrong = cells.find((label) => label < -1 || label >= classes);
    if (wrong !== undefined) {
      throw new Error(`row ${row} lists the class ${wrong}, which is not one of ${classes}; -1 ends a list`);
    }
    const end = cells.indexOf(-1);
    return end < 0 ? cells : cells.slice(0, end);
  });
}
