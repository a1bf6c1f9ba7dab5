import { defineNode, once, T } from '../../runtime/node.ts';
import { type PcaWhitening, whiten } from '../../runtime/retrieval/pca-whitening.ts';
import type { FeatureBank } from './feature-bank.ts';

/** A bank projected onto whitened principal components. */
export default defineNode({
  type: 'features/whiten',
  description: 'Applies principal components with whitening to a bank of features.',
  role: 'artifact',
  params: T.Object({}),
  inputs: { bank: once.bank(['M', 'D']), pca: once.table({ description: 'of features/pca_whitening' }) },
  outputs: { bank: once.bank(['M', 'P']) },
  create:
    ({ name }) =>
    (inputs) => {
      const bank = inputs.bank as FeatureBank;
      const pca = inputs.pca as PcaWhitening;
      if (pca.width !== bank.width) {
        throw new Error(`${name}: the pca is of ${pca.width} values, and the bank's rows have ${bank.width}`);
      }
      return { bank: { ...bank, width: pca.components, features: Float32Array.from(whiten(pca, bank.features)) } };
    },
});
