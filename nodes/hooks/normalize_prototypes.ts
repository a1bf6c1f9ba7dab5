import { defineNode, T } from '../../runtime/node.ts';

/** After each update every prototype is scaled to length 1. Caron et al. 2020, arXiv:2006.09882. */
export default defineNode({
  type: 'hook/normalize_prototypes',
  description: "Keeps a head's prototypes at length 1 (comes with loss/swav).",
  role: 'hook',
  params: T.Object({ head: T.String({ description: 'node with parameters prototypes0.weight, …' }) }),
  show: ['head'],
  create: ({ params, tf, ops }) => {
    const pattern = /^prototypes\d+\.weight$/;
    const isPrototypes = (name: string) =>
      name.startsWith(`${params.head}.`) && pattern.test(name.slice(params.head.length + 1));
    return {
      start(_event, run) {
        const names = [...run.parameters.keys()].filter((name) => name.startsWith(`${params.head}.`));
        if (names.length === 0 || names.some(isPrototypes) || names.some((name) => name.endsWith('.weight_v'))) return;
        const message = `${params.head} has no prototypes to normalise`;
        run.notice('warning', message, 'Give the head num_clusters, or set normalize_last_layer to false');
      },
      update(_event, run) {
        for (const [name, parameter] of run.parameters) {
          if (!isPrototypes(name)) continue;
          // stored as [D, K]: one prototype per column
          const normalized = ops.noGrad(() => {
            const weight = parameter.value();
            return tf.div(weight, tf.maximum(tf.sqrt(tf.sum(tf.square(weight), 0, true)), 1e-12));
          });
          parameter.assign(normalized);
          normalized.dispose();
        }
      },
    };
  },
});
