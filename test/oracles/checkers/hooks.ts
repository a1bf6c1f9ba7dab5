import normalizePrototypes from '../../../nodes/hooks/normalize_prototypes.ts';
import type { HookEvent, RunView } from '../../../runtime/events.ts';
import type { NodeType } from '../../../runtime/node.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { paramsOf } from '../../support/node-context.ts';
import { type CheckContext, type Checker, NotSupported } from '../checker.ts';
import { toWeight } from '../layout.ts';
import { nearWeight } from '../model.ts';
import type { OracleCase, OracleTensor } from '../oracle-file.ts';
import { viewOf } from '../parameters.ts';

type Hook = Extract<NodeType, { role: 'hook' }>;

async function checkNormalize(one: OracleCase, backend: TensorBackend): Promise<void> {
  const { inputs, outputs, tolerance } = one;
  const weights = inputs.prototypes.map((tensor: OracleTensor) => backend.tf.variable(toWeight(backend, tensor)));
  const parameters = new Map(
    weights.map((weight: any, i: number) => [
      `head.prototypes${i}.weight`,
      viewOf(`head.prototypes${i}.weight`, weight),
    ]),
  );
  const definition = normalizePrototypes as unknown as Hook;
  const context = { name: 'hook', params: paramsOf(definition, { head: 'head' }), tf: backend.tf, ops: backend.ops };
  await definition.create(context).update!({} as HookEvent, { parameters } as unknown as RunView);
  for (const [i, want] of outputs.prototypes_after.entries()) {
    await nearWeight(weights[i], want, tolerance, `prototypes ${i}`);
    weights[i].dispose();
  }
}

async function checkMomentumAndHooks(one: OracleCase, context: CheckContext): Promise<void> {
  if (one.params.what === 'swav_normalize_prototypes') return checkNormalize(one, await context.backend());
  throw new NotSupported(`no ${one.params.what} yet`);
}

export default [
  { pattern: /^training\/momentum_and_hooks\.json$/, check: checkMomentumAndHooks },
] satisfies readonly Checker[];
