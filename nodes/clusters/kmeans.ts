import { defineNode, once, T } from '../../runtime/node.ts';
import type { FeatureBank } from '../features/feature-bank.ts';
import { euclideanKMeans } from './euclidean-kmeans.ts';

/** added to the length of features before they are divided by it, as in VISSL */
const EPSILON = 1e-5;

/**
 * k-means over the features of a dataset: the pseudo-labels of ClusterFit. Yan et al. 2020, arXiv:1912.03330. The first
 * centroids are rows drawn from the node's own stream: the same at every run with the same seed.
 * Difference from VISSL, which lets faiss cluster: the draws are others, so are the numbers of the clusters.
 */
export default defineNode({
  type: 'cluster/kmeans',
  description: 'k-means clusters of all features of a dataset, as pseudo-labels (ClusterFit, arXiv:1912.03330).',
  role: 'artifact',
  params: T.Object({
    num_clusters: T.Integer({ default: 16000, minimum: 1, description: 'clusters' }),
    iterations: T.Integer({ default: 50, minimum: 0, description: 'rounds of k-means' }),
    l2_normalize: T.Boolean({ default: true, description: 'divide features by their length + 1e-5 first' }),
  }),
  inputs: { features: once.bank(['M', 'D'], { description: 'features to cluster' }) },
  outputs: {
    assignments: once.label(['S'], {
      description: 'cluster of each sample of the dataset, -1 where the bank has no features of it',
    }),
    centroids: once.tensor('float32', ['K', 'D']),
    distances: once.tensor('float32', ['M'], { description: 'squared distance of each row to its centroid' }),
    metrics: once.metrics({ description: 'mean squared distance; rows of the smallest and the largest cluster' }),
  },
  kernels: ['ArgMax', 'BatchMatMul', 'Max'],
  show: ['num_clusters', 'iterations'],
  create: ({ params, name, tf, ops, random, signal }) => {
    const { num_clusters: clusters, iterations, l2_normalize } = params;
    return async (inputs) => {
      const bank = inputs.features as FeatureBank;
      const { rows, width, features, indices } = bank;
      if (rows < clusters) throw new Error(`${name}: ${clusters} clusters of ${rows} features. Take fewer clusters`);
      const values = l2_normalize ? scaled(features, width) : features;
      const points = { rows, width, values };
      const found = await euclideanKMeans({ tf, ops, signal }, points, clusters, iterations, random.fork('kmeans'));
      const assignments = new Int32Array(indices[rows - 1] + 1).fill(-1);
      const sizes = new Int32Array(clusters);
      for (let row = 0; row < rows; row++) {
        assignments[indices[row]] = found.assignments[row];
        sizes[found.assignments[row]]++;
      }
      const sum = found.distances.reduce((total, distance) => total + distance, 0);
      return {
        assignments,
        centroids: tf.tensor2d(found.centroids, [clusters, width]),
        distances: found.distances,
        metrics: { distance: sum / rows, smallest: least(sizes), largest: -least(sizes.map((n) => -n)) },
      };
    };
  },
});

const least = (values: Int32Array): number => values.reduce((a, b) => Math.min(a, b));

function scaled(features: Float32Array, width: number): Float32Array {
  const result = new Float32Array(features.length);
  for (let start = 0; start < features.length; start += width) {
    let sum = 0;
    for (let i = start; i < start + width; i++) sum += features[i] ** 2;
    const length = Math.sqrt(sum) + EPSILON;
    for (let i = start; i < start + width; i++) result[i] = features[i] / length;
  }
  return result;
}
