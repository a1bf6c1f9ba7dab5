import { batch, defineNode, T } from '../../runtime/node.ts';
import { checkWidth, featuresInput } from './features-input.ts';

/** Sets of prototypes: one linear layer each, with a bias as in lightly's SwaVPrototypes (heads.0.weight). */
export default defineNode({
  type: 'head/prototypes',
  description: 'Scores of features against sets of prototypes.',
  aliases: ['SwaVPrototypes'],
  role: 'model',
  head: true,
  params: T.Object({
    input_dim: T.Integer({ minimum: 1, description: 'width of the features' }),
    n_prototypes: T.Array(T.Integer({ minimum: 1 }), { minItems: 1, description: 'prototypes of each set' }),
  }),
  inputs: { features: featuresInput },
  outputs: {
    scores: batch.tensor('float32', ['V*N', 'K'], { list: true, description: 'one per set of prototypes' }),
    prototypes: batch.weights(['D', 'K'], { list: true, description: 'weights of the prototypes, by reference' }),
  },
  show: ['n_prototypes'],
  model: ({ params, inputs, problem }) => {
    const { input_dim, n_prototypes } = params;
    if (!checkWidth(inputs.features?.[0], [input_dim], problem)) return undefined;
    return {
      stages: [{ name: 'features', layer: { op: 'flatten' } }],
      outputs: {
        scores: n_prototypes.map((out, i) => ({
          stage: 'features',
          layer: { op: 'sequence', name: 'heads', layers: [{ op: 'linear', name: String(i), in: input_dim, out }] },
        })),
      },
      weights: { prototypes: n_prototypes.map((_, i) => `heads.${i}.weight`) },
    };
  },
});
