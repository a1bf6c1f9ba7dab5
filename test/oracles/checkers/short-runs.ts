import mlp from '../../../nodes/heads/mlp.ts';
import swavHead from '../../../nodes/heads/swav.ts';
import normalizePrototypes from '../../../nodes/hooks/normalize_prototypes.ts';
import swavLoss from '../../../nodes/losses/swav.ts';
import type { HookEvent, RunView } from '../../../runtime/events.ts';
import type { NodeType, Values } from '../../../runtime/node.ts';
import type { Tensor, TensorBackend } from '../../../runtime/tensor/types.ts';
import { createInstance, nodeContext, paramsOf, tensorValue } from '../../support/node-context.ts';
import { type CheckContext, type Checker, NotSupported } from '../checker.ts';
import { nearNumber, within } from '../compare.ts';
import { formulaImages } from '../formula.ts';
import { weightValues } from '../layout.ts';
import type { OracleCase } from '../oracle-file.ts';
import { viewOf } from '../parameters.ts';
import { type NamedModel, openModel, openTrainer, through } from '../short-run.ts';
import { nearBrief, nearFeature } from '../summaries.ts';
import { trunkNode } from '../trunk-types.ts';

type Params = Readonly<Record<string, any>>;

/** What differs between the methods. */
interface Method {
  readonly models: readonly NamedModel[];
  /** the loss of step s, on the tape; `outputs` are the head's */
  forward(step: number): Promise<{ readonly loss: Tensor; readonly outputs: readonly Tensor[] }>;
  /** after the optimizer's step */
  afterUpdate?(): void;
}

type MakeMethod = (backend: TensorBackend, params: Params) => Method;

const HEADS: Readonly<Record<string, NodeType>> = { mlp: mlp as NodeType, swav_head: swavHead as NodeType };

export function openTrunk(backend: TensorBackend, params: Params, frozen = false): NamedModel {
  const { definition, params: own } = trunkNode(params.trunk, { REGNET: params.trunk_config });
  return openModel(backend, definition, own, 'trunk.', frozen);
}

/** Heads of a chain, or of several features: heads.0, heads.1, … */
export const openHeads = (backend: TensorBackend, params: Params): NamedModel[] =>
  params.head.map(([name, config]: [string, Params], i: number) => {
    if (!HEADS[name]) throw new NotSupported(`no head node for ${name}`);
    return openModel(backend, HEADS[name], config, `heads.${i}.`);
  });

/** Consecutive crops of one size as one tensor each, as the collator gives them. */
function cropGroups(backend: TensorBackend, params: Params, step: number): Tensor[] {
  const { batch, size, small, num_crops } = params;
  const crop = (v: number) =>
    formulaImages(backend, `step${step}/crop${v}`, [batch, 3, v < 2 ? size : small, v < 2 ? size : small]);
  const all = Array.from({ length: num_crops }, (_, v) => crop(v));
  return [all.slice(0, 2), all.slice(2)]
    .filter((group) => group.length > 0)
    .map((group) => backend.tf.concat(group, 0));
}

const swav: MakeMethod = (backend, params) => {
  const trunk = openTrunk(backend, params);
  const [head] = openHeads(backend, params);
  const [, { dims, num_clusters }] = params.head[0];
  const rows = params.batch * params.num_crops;
  const loss = createInstance(
    swavLoss as NodeType,
    nodeContext(backend, swavLoss as NodeType, {
      symbols: { V: params.num_crops, N: params.batch },
      inputs: {
        scores: num_clusters.map((k: number) => tensorValue(rows, k)),
        embeddings: [tensorValue(rows, dims.at(-1))],
      },
      run: { batchSize: params.batch },
    }),
  );
  const definition = normalizePrototypes as unknown as Extract<NodeType, { role: 'hook' }>;
  const hook = definition.create({
    name: 'hook',
    params: paramsOf(definition, { head: 'head' }),
    tf: backend.tf,
    ops: backend.ops,
  });
  return {
    models: [trunk, head],
    async forward(step) {
      const features = through(trunk, cropGroups(backend, params, step), 'avgpool');
      const made = head.model.forward(features, { training: true, outputs: ['embeddings', 'scores'] });
      const outputs = [made.embeddings as Tensor, ...(made.scores as Tensor[])];
      const values = await loss.run(
        { scores: made.scores, embeddings: made.embeddings },
        { phase: 'train', training: true, iteration: step, epoch: 0 },
      );
      return { loss: (values as Values).loss, outputs };
    },
    afterUpdate: () => void hook.update!({} as HookEvent, { parameters: views(head, 'head') } as unknown as RunView),
  };
};

/** Parameters as hooks see them. */
const views = ({ model }: NamedModel, node: string) =>
  new Map(
    [...model.variables.values()].map(({ name, variable }) => [`${node}.${name}`, viewOf(`${node}.${name}`, variable)]),
  );

const METHODS: Readonly<Record<string, MakeMethod>> = { swav };

async function check({ params, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> {
  const make = METHODS[params.kind];
  if (!make) throw new NotSupported(`no ${params.kind} yet`);
  const backend = await context.backend();
  const method = make(backend, params);
  const trainer = await openTrainer(backend, method.models, params);
  for (const [s, want] of outputs.steps.entries()) {
    const at = `step ${s}`;
    await backend.scopeAsync(async () => {
      nearNumber(trainer.lr(want.where)[0], want.lr, 1e-6, `${at}: lr`);
      let made: readonly Tensor[] = [];
      const loss = await trainer.step(want.where, async () => {
        const result = await method.forward(s);
        made = result.outputs;
        return result.loss;
      });
      within(loss, want.loss, want.loss_tol, `${at}: loss`);
      for (const [i, summary] of (want.head_output ?? []).entries()) {
        await nearFeature(backend, made[i], summary, tolerance, `${at}: output ${i} of the head`);
      }
      await checkGradients(trainer.gradients, want, at);
      method.afterUpdate?.();
    });
  }
  for (const { prefix, model } of method.models) {
    for (const { name, variable } of model.variables.values()) {
      const want = outputs.state_after[prefix + name];
      if (!want) throw new Error(`the reference has no ${prefix + name}`);
      const { shape, values } = await weightValues(variable);
      nearBrief(shape, values, want, `after the run: ${prefix}${name}`);
    }
    model.dispose();
  }
}

async function checkGradients(gradients: ReadonlyMap<string, Tensor | null>, want: Params, at: string): Promise<void> {
  let squares = 0;
  for (const [name, gradient] of gradients) {
    if (!gradient) continue;
    const { shape, values } = await weightValues(gradient);
    squares += values.reduce((sum, x) => sum + x * x, 0);
    if (want.grads?.[name]) nearBrief(shape, values, want.grads[name], `${at}: gradient of ${name}`);
  }
  within(Math.sqrt(squares), want.grad_norm_total, want.grad_norm_total_tol, `${at}: norm of all gradients`);
}

export default [{ pattern: /^training\/short_runs\.json$/, check }] satisfies readonly Checker[];
