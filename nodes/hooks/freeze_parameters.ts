import { nearest } from '../../graph/problem.ts';
import { defineNode, T } from '../../runtime/node.ts';

/**
 * Drops the gradient of a parameter in iterations (counted from 1) below its number, so that SGD leaves it alone: with
 * 313 the first 312 updates pass it by. SwAV freezes its prototypes for the first epoch (TEMP_FROZEN_PARAMS_ITER_MAP).
 */
export default defineNode({
  type: 'hook/freeze_parameters',
  description: 'Keeps named parameters as they are for the first iterations.',
  role: 'hook',
  params: T.Object({
    parameters: T.Record(T.String(), T.Integer({ minimum: 0 }), {
      description: 'parameter, "<node>.<name in the state dict>" → first iteration that updates it',
    }),
  }),
  show: ['parameters'],
  create: ({ params }) => ({
    start(_event, run) {
      for (const name of Object.keys(params.parameters)) {
        if (run.parameters.has(name)) continue;
        const near = nearest(name, run.parameters.keys());
        const cure = near ? `Did you mean "${near}"?` : 'Names are "<node>.<name in the state dict>"';
        throw new Error(`hook/freeze_parameters: there is no parameter "${name}". ${cure}`);
      }
    },
    backward({ progress }, run) {
      for (const [name, first] of Object.entries(params.parameters)) {
        if (progress.iteration < first) run.parameters.get(name)!.setGradient(null);
      }
    },
  }),
});
