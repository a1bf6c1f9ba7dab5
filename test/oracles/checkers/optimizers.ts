import { parameterGroups } from '../../../nodes/optimizers/groups.ts';
import lars from '../../../nodes/optimizers/lars.ts';
import sgd from '../../../nodes/optimizers/sgd.ts';
import { createState } from '../../../runtime/engine/state.ts';
import type { NodeType, OptimizedParameter } from '../../../runtime/node.ts';
import type { TensorBackend, Variable } from '../../../runtime/tensor/types.ts';
import { optimizerContext } from '../../support/node-context.ts';
import { type CheckContext, type Checker, NotSupported } from '../checker.ts';
import { near, same } from '../compare.ts';
import { toWeight, weightValues } from '../layout.ts';
import type { OracleCase, OracleTensor } from '../oracle-file.ts';

/** Weights of the reference as trained parameters: all in one group, as torch's optimizers have it. */
function asParameters(backend: TensorBackend, tensors: readonly OracleTensor[]) {
  return tensors.map((tensor, i): OptimizedParameter => {
    const variable = backend.tf.variable(toWeight(backend, tensor));
    return { name: `model.${i}`, node: 'model', layer: 'linear', kind: 'weight', head: false, variable };
  });
}

/** Runs the steps of a case through the node. Rates that change by step go through the schedule. */
async function checkSteps(
  definition: Extract<NodeType, { role: 'optimizer' }>,
  one: OracleCase,
  context: CheckContext,
  params: Readonly<Record<string, unknown>>,
  stateOf: (name: string) => string,
): Promise<void> {
  const backend = await context.backend();
  const { inputs, outputs, tolerance } = one;
  const steps = inputs.grads.length;
  const rates: readonly number[] = one.params.lr_per_step ?? Array.from({ length: steps }, () => one.params.lr);
  const state = createState(backend);
  const parameters = asParameters(backend, inputs.params);
  const optimizer = definition.create(
    optimizerContext(backend, definition, parameters, {
      params: { ...params, lr: { schedule: 'by step' }, single_group: true },
      state,
      schedules: {
        outermost: (value) => (where) => (typeof value === 'number' ? value : rates[Math.round(where * steps)]),
      },
    }),
  );
  for (let step = 0; step < steps; step++) {
    backend.scope(() => {
      const gradients = inputs.grads[step].map((g: OracleTensor | null) => (g ? toWeight(backend, g) : null));
      optimizer.step(gradients, step / steps);
    });
    await compareAll(
      parameters.map(({ variable }) => variable),
      outputs.params_after[step],
      tolerance,
      `step ${step}`,
    );
    const saved = new Map(state.tensors(() => true).map((source) => [source.name, source]));
    for (const [i, want] of (outputs.momentum_after?.[step] ?? []).entries()) {
      const got = saved.get(`node.${stateOf(`model.${i}`)}`);
      same(got !== undefined, want !== null, `step ${step}: whether parameter ${i} has a velocity`);
      if (!want) continue;
      const stored = backend.tf.tensor((await got!.read()) as Float32Array, [...got!.shape]);
      await compareOne(stored, want, tolerance, `step ${step}: velocity ${i}`);
      stored.dispose();
    }
  }
  for (const { variable } of parameters) variable.dispose();
  state.dispose();
}

async function compareAll(
  variables: readonly Variable[],
  wanted: readonly OracleTensor[],
  tolerance: number,
  what: string,
): Promise<void> {
  for (const [i, want] of wanted.entries()) await compareOne(variables[i], want, tolerance, `${what}: parameter ${i}`);
}

async function compareOne(
  got: Parameters<typeof weightValues>[0],
  want: OracleTensor,
  tolerance: number,
  what: string,
) {
  const { shape, values } = await weightValues(got);
  same(shape, [...want.shape], `${what}: shape`);
  near(values, want.data, tolerance, what);
}

/** The small model of the parameter-group cases: which kind of layer each parameter belongs to. */
const SMALL_MODEL: readonly (readonly [string, OptimizedParameter['layer']])[] = [
  ['scale', 'other'],
  ['trunk.cls_token', 'other'],
  ['trunk._feature_blocks.conv1.weight', 'conv2d'],
  ['trunk._feature_blocks.bn1.weight', 'batch_norm'],
  ['trunk._feature_blocks.bn1.bias', 'batch_norm'],
  ['trunk._feature_blocks.layer1.0.weight', 'linear'],
  ['trunk._feature_blocks.layer1.0.bias', 'linear'],
  ['trunk._feature_blocks.layer1.1.weight', 'batch_norm'],
  ['trunk._feature_blocks.layer1.1.bias', 'batch_norm'],
  ['heads.0.clf.0.weight', 'linear'],
  ['heads.0.clf.0.bias', 'linear'],
  ['heads.0.clf.1.weight', 'batch_norm'],
  ['heads.0.clf.1.bias', 'batch_norm'],
  ['heads.0.clf.3.weight', 'linear'],
  ['heads.0.norm.weight', 'layer_norm_2d'],
  ['heads.0.norm.bias', 'layer_norm_2d'],
];

function checkGroups({ params, inputs, outputs }: OracleCase): void {
  same(inputs.model, 'small', 'the model of the case');
  const parameters = SMALL_MODEL.map(([name, layer]) => ({
    name,
    layer,
    kind: name.endsWith('.bias')
      ? ('bias' as const)
      : name.endsWith('.weight')
        ? ('weight' as const)
        : ('other' as const),
    head: name.startsWith('heads.'),
  }));
  const groups = parameterGroups(parameters, {
    weight_decay: params.weight_decay,
    head_weight_decay: params.use_different_wd ? params.head_weight_decay : params.weight_decay,
    regularize_bn: params.regularize_bn,
    regularize_bias: params.regularize_bias,
    unregularized: params.non_regularized_parameters,
    frozen: params.non_trainable_params,
    single_group: params.construct_single_param_group_only,
  });
  const named = groups.map(({ lr, weightDecay, members }) => ({
    params: members.map((i) => parameters[i].name),
    lr: lr === 'head' && params.use_different_lr ? 'LR_HEAD' : 'LR_TRUNK',
    weight_decay: weightDecay,
  }));
  same(named, outputs.groups, 'groups');
}

const velocity = (name: string) => `velocity.${name}`;

export default [
  {
    pattern: /^optimizers\/sgd\.json$/,
    check: (one, context) => {
      const { momentum, weight_decay, nesterov } = one.params;
      return checkSteps(sgd as never, one, context, { momentum, weight_decay, nesterov }, velocity);
    },
  },
  {
    pattern: /^optimizers\/larc\.json$/,
    check: (one, context) => {
      const { momentum, weight_decay, nesterov, larc_config: larc } = one.params;
      return checkSteps(sgd as never, one, context, { momentum, weight_decay, nesterov, larc }, velocity);
    },
  },
  {
    pattern: /^optimizers\/lars\.json$/,
    check: (one, context) => {
      const { lr: _, ...params } = one.params;
      return checkSteps(lars as never, one, context, params, velocity);
    },
  },
  {
    // lightly's LARS is SGD with LARC, where there is weight decay; without, it is plain SGD
    pattern: /^optimizers\/lightly_lars\.json$/,
    check: (one, context) => {
      const { momentum, weight_decay, nesterov = false, dampening = 0, trust_coefficient, eps = 1e-8 } = one.params;
      if (dampening !== 0) throw new NotSupported('no dampening');
      const larc = weight_decay === 0 ? {} : { larc: { trust_coefficient, eps } };
      return checkSteps(sgd as never, one, context, { momentum, weight_decay, nesterov, ...larc }, velocity);
    },
  },
  { pattern: /^optimizers\/param_groups\.json$/, check: checkGroups },
] satisfies readonly Checker[];
