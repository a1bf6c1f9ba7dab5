import { defineNode, once, sample, T } from '../../runtime/node.ts';

/** The samples of a dataset with other labels: clusters in place of classes, for ClusterFit. */
export default defineNode({
  type: 'dataset/relabel',
  role: 'transform',
  description: 'Samples of a dataset with labels that another part of the graph has made.',
  params: T.Object({}),
  inputs: {
    samples: sample.sample(),
    labels: once.label(['S'], { description: 'one per sample, in the order of the dataset' }),
  },
  outputs: { samples: sample.sample() },
  facts: (facts) => ({ ...facts, labelled: true, labelSize: 1, classes: undefined }),
  create: ({ name, once }) => {
    const labels = once.labels as Int32Array | undefined;
    return {
      sample: (sample) => {
        if (!labels) throw new Error(`${name}: the labels are made when the pipeline runs, and are not there yet`);
        sample.label = labels[sample.index] ?? -1;
      },
    };
  },
});
