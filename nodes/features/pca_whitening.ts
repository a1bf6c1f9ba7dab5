import { defineNode, once, T } from '../../runtime/node.ts';
import { fitPcaWhitening } from '../../runtime/retrieval/pca-whitening.ts';
import type { FeatureBank } from './feature-bank.ts';

/**
 * Principal components of a bank, for whitening: eigenvectors of XᵀX over the roots of their eigenvalues, as VISSL's
 * retrieval has them. Rows of several descriptors (regions of R-MAC) are taken apart first.
 */
export default defineNode({
  type: 'features/pca_whitening',
  description: 'Fits principal components with whitening to a bank of features.',
  aliases: ['train_and_save_pca'],
  role: 'artifact',
  params: T.Object({
    components: T.Integer({ default: 512, description: 'largest ones to keep; 0 or less: all' }),
    regions: T.Integer({ default: 1, minimum: 1, description: 'descriptors in a row of the bank' }),
  }),
  inputs: { bank: once.bank(['M', 'D']) },
  outputs: { pca: once.table({ description: 'mean and matrix' }) },
  show: ['components'],
  create:
    ({ params, name }) =>
    (inputs) => {
      const { width, features } = inputs.bank as FeatureBank;
      if (width % params.regions !== 0) {
        throw new Error(`${name}: rows of ${width} values are not ${params.regions} descriptors`);
      }
      const pca = fitPcaWhitening(features, width / params.regions, params.components);
      const { mean, matrix, ...sizes } = pca;
      return { pca: { ...sizes, mean: Float32Array.from(mean), matrix: Float32Array.from(matrix) } };
    },
});
