import { assignmentsOf } from '../../../nodes/losses/swav-assign.ts';
import { singleRank } from '../../../runtime/engine/ranks.ts';
import type { CheckContext, Checker } from '../checker.ts';
import { nearTensor } from '../compare.ts';
import { toTensor } from '../layout.ts';
import type { OracleCase } from '../oracle-file.ts';

async function checkSinkhorn({ params, inputs, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  const { tf, ops } = backend;
  const options = {
    iterations: params.num_iter,
    powerLaw: params.powerlaw,
    inDouble: params.use_double_precision,
    hard: params.hard_assignment,
  };
  await backend.scopeAsync(async () => {
    const q = tf.transpose(toTensor(backend, inputs.Q));
    const assignments = await assignmentsOf({ tf, ops, ranks: singleRank }, q, options);
    await nearTensor(assignments, outputs.assignments, tolerance, 'assignments');
  });
}

export default [{ pattern: /^losses\/sinkhorn\.json$/, check: checkSinkhorn }] satisfies readonly Checker[];
