import pool from '../../../nodes/features/pool.ts';
import evalMlp from '../../../nodes/heads/eval_mlp.ts';
import mlp from '../../../nodes/heads/mlp.ts';
import swavHead from '../../../nodes/heads/swav.ts';
import momentumUpdate from '../../../nodes/hooks/momentum_update.ts';
import normalizePrototypes from '../../../nodes/hooks/normalize_prototypes.ts';
import barlowLoss from '../../../nodes/losses/barlow_twins.ts';
import crossEntropy from '../../../nodes/losses/cross_entropy_multiple_output_single_target.ts';
import mocoLoss from '../../../nodes/losses/moco.ts';
import simclrLoss from '../../../nodes/losses/simclr_info_nce.ts';
import swavLoss from '../../../nodes/losses/swav.ts';
import { createState } from '../../../runtime/engine/state.ts';
import type { HookEvent, RunView } from '../../../runtime/events.ts';
import type { NodeInstance, NodeType, Values } from '../../../runtime/node.ts';
import type { Tensor, TensorBackend } from '../../../runtime/tensor/types.ts';
import { type ContextOptions, createInstance, nodeContext, openHook, tensorValue } from '../../support/node-context.ts';
import { type CheckContext, type Checker, NotSupported } from '../checker.ts';
import { nearNumber, within } from '../compare.ts';
import { formulaImages, hashName, uniformAt } from '../formula.ts';
import { weightValues } from '../layout.ts';
import { saved } from '../loss.ts';
import type { OracleCase } from '../oracle-file.ts';
import { viewOf } from '../parameters.ts';
import { type NamedModel, openModel, openTrainer, through } from '../short-run.ts';
import { nearBrief, nearFeature } from '../summaries.ts';
import { trunkNode } from '../trunk-types.ts';
import { poolParams } from './feature-pool.ts';

type Params = Readonly<Record<string, any>>;

/** What differs between the methods. */
interface Method {
  readonly models: readonly NamedModel[];
  /** the loss of step s, on the tape; `outputs` are the head's */
  forward(step: number): Promise<Forward>;
  /** after the optimizer's step */
  afterUpdate?(): void;
  /** what else the reference has of a step */
  checkStep?(want: Params, at: string, made: Forward): Promise<void>;
}

interface Forward {
  readonly loss: Tensor;
  readonly outputs: readonly Tensor[];
  readonly key?: Tensor;
}

type MakeMethod = (backend: TensorBackend, params: Params) => Method;

const HEADS: Readonly<Record<string, NodeType>> = {
  mlp: mlp as NodeType,
  swav_head: swavHead as NodeType,
  eval_mlp: evalMlp as NodeType,
};

export function openTrunk(backend: TensorBackend, params: Params, prefix = 'trunk.', frozen = false): NamedModel {
  const { definition, params: own } = trunkNode(params.trunk, { REGNET: params.trunk_config });
  return openModel(backend, definition, own, prefix, frozen);
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
  const hook = openHook(backend, normalizePrototypes, { head: 'head' });
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

const open = (backend: TensorBackend, definition: unknown, options: ContextOptions) =>
  createInstance(definition as NodeType, nodeContext(backend, definition as NodeType, options));

const facts = (iteration: number) => ({ phase: 'train', training: true, iteration, epoch: 0 });

const images = (backend: TensorBackend, { batch, size }: Params, name: string): Tensor =>
  formulaImages(backend, name, [batch, 3, size, size]);

/** Two views, one after the other, through trunk and a chain of heads. */
const twoViews =
  (makeLoss: (backend: TensorBackend, params: Params) => NodeInstance): MakeMethod =>
  (backend, params) => {
    const trunk = openTrunk(backend, params);
    const heads = openHeads(backend, params);
    const loss = makeLoss(backend, params);
    return {
      models: [trunk, ...heads],
      async forward(step) {
        const views = [0, 1].map((v) => images(backend, params, `step${step}/view${v}`));
        const embeddings = chain(heads, through(trunk, [backend.tf.concat(views, 0)], 'avgpool'));
        const values = (await loss.run({ embeddings }, facts(step))) as Values;
        return { loss: values.loss, outputs: [embeddings] };
      },
    };
  };

const chain = (heads: readonly NamedModel[], features: Tensor): Tensor =>
  heads.reduce((x, head) => through(head, x, 'output'), features);

const moco: MakeMethod = (backend, params) => {
  const trunk = openTrunk(backend, params);
  const heads = openHeads(backend, params);
  const width = params.head.at(-1)[1].dims.at(-1);
  // the momentum encoder begins as a copy, the formula's weights
  const keyTrunk = openTrunk(backend, params);
  const keyHeads = openHeads(backend, params);
  const queue = formulaQueue(width, params.queue);
  const state = createState(backend, saved({ queue: { shape: [width, params.queue], dtype: 'float32', data: queue } }));
  const loss = open(backend, mocoLoss, {
    params: { queue_size: params.queue, temperature: params.temperature },
    symbols: { D: width },
    run: { batchSize: params.batch },
    state,
  });
  const hook = openHook(backend, momentumUpdate, {
    encoders: { k: 'q', ...Object.fromEntries(heads.map((_, i) => [`hk${i}`, `h${i}`])) },
    momentum: params.momentum,
  });
  const parameters = new Map(
    [
      ...views(trunk, 'q'),
      ...views(keyTrunk, 'k'),
      ...heads.flatMap((head, i) => [...views(head, `h${i}`)]),
      ...keyHeads.flatMap((head, i) => [...views(head, `hk${i}`)]),
    ].filter(([name]) => /\.(weight|bias)$/.test(name)),
  );
  return {
    models: [trunk, ...heads],
    async forward(step) {
      const query = chain(heads, through(trunk, [images(backend, params, `step${step}/query`)], 'avgpool'));
      const key = backend.ops.noGrad(() =>
        backend.ops.l2Normalize(
          chain(keyHeads, through(keyTrunk, [images(backend, params, `step${step}/key`)], 'avgpool')),
        ),
      );
      const values = (await loss.run({ query, key }, facts(step))) as Values;
      return { loss: values.loss, outputs: [query], key };
    },
    afterUpdate: () => void hook.update!({} as HookEvent, { parameters, buffers: new Map() } as unknown as RunView),
    async checkStep(want, at, { key }) {
      nearBrief(key!.shape, Float32Array.from(await key!.data()), want.key, `${at}: key`);
      const [first] = keyTrunk.model.variables.values();
      const { shape, values } = await weightValues(first.variable);
      nearBrief(shape, values, want.momentum_encoder_first_weight, `${at}: first weight of the momentum encoder`);
    },
  };
};

/** Uniform in [-1, 1) by the formula, then columns of length 1. */
function formulaQueue(width: number, size: number): number[] {
  const hash = hashName('queue');
  const values = Array.from({ length: width * size }, (_, i) => 2 * uniformAt(hash, i) - 1);
  const lengths = Array.from({ length: size }, (_, j) =>
    Math.hypot(...Array.from({ length: width }, (_, i) => values[i * size + j])),
  );
  return values.map((value, i) => value / lengths[i % size]);
}

/** A frozen trunk, a pooled feature and a classifier for each entry of the map; the losses are summed. */
const linear: MakeMethod = (backend, params) => {
  const trunk = openTrunk(backend, params, 'trunk.base_model.', true);
  const heads = openHeads(backend, params);
  const pools = params.feat.LINEAR_EVAL_FEAT_POOL_OPS_MAP.map(([feature, [op, args]]: [string, [string, any[]]]) => ({
    feature,
    pool: openModel(backend, pool as NodeType, poolParams(op, args), ''),
  }));
  const loss = open(backend, crossEntropy, {});
  return {
    models: [trunk, ...heads],
    async forward(step) {
      const x = images(backend, params, `step${step}/image`);
      const outputs = heads.map((head, i) => {
        const features = through(trunk, [x], pools[i].feature);
        return through(head, through(pools[i].pool, features, 'output'), 'output');
      });
      const labels = Array.from({ length: params.batch }, (_, i) => (7 * i + step) % params.classes);
      const target = backend.tf.tensor1d(labels, 'int32');
      const values = (await loss.run({ outputs, target }, facts(step))) as Values;
      return { loss: values.loss, outputs };
    },
  };
};

const METHODS: Readonly<Record<string, MakeMethod>> = {
  swav,
  moco,
  linear,
  simclr: twoViews((backend, { temperature }) => open(backend, simclrLoss, { params: { temperature } })),
  barlow: twoViews((backend) => open(backend, barlowLoss, {})),
};

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
      let made: Forward | undefined;
      const loss = await trainer.step(want.where, async () => {
        made = await method.forward(s);
        return made.loss;
      });
      within(loss, want.loss, want.loss_tol, `${at}: loss`);
      for (const [i, summary] of (want.head_output ?? []).entries()) {
        await nearFeature(backend, made!.outputs[i], summary, tolerance, `${at}: output ${i} of the head`);
      }
      await checkGradients(trainer.gradients, want, at);
      await method.checkStep?.(want, at, made!);
      method.afterUpdate?.();
    });
  }
  for (const { prefix, model } of method.models) {
    for (const { name, variable } of model.variables.values()) {
      const full = prefix + name;
      const want = outputs.state_after[full];
      if (!want) throw new Error(`the reference has no ${full}`);
      const { shape, values } = await weightValues(variable);
      nearBrief(shape, values, want, `after the run: ${full}`);
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
