import { batch, defineNode, T } from 'pipe-ssl';

/**
 * An approach of one's own, from its paper: SimSiam. Chen and He 2021, arXiv:2011.10566. One view's prediction is to
 * point where the other view's projection does, and no gradient flows through the projection.
 *   pipe run examples/simsiam.json --plugin examples/simsiam.ts
 */
const loss = defineNode({
  type: 'loss/my_simsiam',
  role: 'loss',
  description: 'Negative cosine between the prediction of one view and the projection of the other.',
  params: T.Object({
    stop_gradient: T.Boolean({ default: true, description: 'false: it collapses, as the paper shows' }),
  }),
  inputs: {
    projections: batch.tensor('float32', ['2*N', 'D'], { description: 'all first views, then all second ones' }),
    predictions: batch.tensor('float32', ['2*N', 'D'], { description: 'in the same order' }),
  },
  outputs: { loss: batch.scalar('float32') },
  create:
    ({ params, tf, ops }) =>
    ({ projections, predictions }) => {
      const rows = projections.shape[0] / 2;
      const swapped = () =>
        ops.l2Normalize(tf.concat([tf.slice(projections, [rows, 0]), tf.slice(projections, [0, 0], [rows, -1])], 0));
      const target = params.stop_gradient ? ops.noGrad(swapped) : swapped();
      return { loss: tf.neg(tf.mean(tf.sum(tf.mul(ops.l2Normalize(predictions), target), 1))) };
    },
});

const bottleneck = defineNode({
  type: 'head/my_predictor',
  role: 'model',
  head: true,
  description: 'Linear, batch norm, ReLU, linear back to the width it was given.',
  params: T.Object({
    width: T.Integer({ minimum: 1, description: 'features in and out' }),
    hidden: T.Integer({ minimum: 1, description: 'features between' }),
  }),
  inputs: { features: batch.tensor('float32', ['N', 'D']) },
  outputs: { output: batch.tensor('float32', ['N', 'D']) },
  model: ({ params: { width, hidden } }) => ({
    stages: [
      { name: 'down', layer: { op: 'linear', in: width, out: hidden, bias: false } },
      { name: 'norm', layer: { op: 'batch_norm', features: hidden } },
      { name: 'relu', layer: { op: 'relu' } },
      { name: 'up', layer: { op: 'linear', in: hidden, out: width } },
    ],
    outputs: { output: { stage: 'up' } },
  }),
});

export default [loss, bottleneck];
