import barlowTwins from '../../../nodes/losses/barlow_twins.ts';
import dcl from '../../../nodes/losses/dcl.ts';
import dino from '../../../nodes/losses/dino.ts';
import msn from '../../../nodes/losses/msn.ts';
import negativeCosine from '../../../nodes/losses/negative_cosine_similarity.ts';
import ntxent from '../../../nodes/losses/ntxent.ts';
import swav from '../../../nodes/losses/swav.ts';
import tico from '../../../nodes/losses/tico.ts';
import vicreg from '../../../nodes/losses/vicreg.ts';
import type { NodeType } from '../../../runtime/node.ts';
import type { Tensor } from '../../../runtime/tensor/types.ts';
import type { CheckContext, Checker } from '../checker.ts';
import { near, nearNumber, same } from '../compare.ts';
import {
  callLoss,
  callRanks,
  type LossSetup,
  openFor,
  type ReferenceInputs,
  rankStep,
  saved,
  stateValues,
} from '../loss.ts';
import type { OracleCase, OracleTensor } from '../oracle-file.ts';

type Params = OracleCase['params'];

const node = (
  definition: unknown,
  params: Readonly<Record<string, unknown>>,
  rest: Partial<LossSetup> = {},
): LossSetup => ({
  definition: definition as NodeType,
  params: Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)),
  ...rest,
});

/** Views one after the other, as our losses take them. */
const stacked = (...views: readonly OracleTensor[]): OracleTensor => ({
  ...views[0],
  shape: [views.reduce((sum, { shape }) => sum + shape[0], 0), ...views[0].shape.slice(1)],
  data: views.flatMap(({ data }) => data),
});

async function nearViews(
  gradient: Tensor | null,
  views: readonly OracleTensor[],
  tolerance: number,
  what: string,
): Promise<void> {
  near(await gradient!.data(), stacked(...views).data, tolerance, what);
}

/** A loss of two views, on one rank or several; `names` are the reference's. */
const twoViews =
  (names: readonly [string, string], setupOf: (params: Params) => LossSetup): Checker['check'] =>
  async ({ params, inputs, outputs, tolerance }, context) => {
    const backend = await context.backend();
    const setup = setupOf(params);
    const [a, b] = names;
    if (!outputs.per_rank) {
      const call = { embeddings: stacked(inputs[a], inputs[b]) };
      await backend.scopeAsync(async () => {
        const { instance } = openFor(backend, setup, call);
        const { loss, gradients } = await callLoss(backend, instance, call, ['embeddings']);
        nearNumber(loss, outputs.loss, tolerance, 'loss');
        await nearViews(gradients[0], [outputs[`grad_${a}`], outputs[`grad_${b}`]], tolerance, 'gradient');
      });
      return;
    }
    const calls = inputs[`${a}_per_rank`].map((view: OracleTensor, r: number) => ({
      embeddings: stacked(view, inputs[`${b}_per_rank`][r]),
    }));
    for (const [rank, want] of outputs.per_rank.entries()) {
      await backend.scopeAsync(async () => {
        const open = (ranks: any, r: number) => openFor(backend, setup, calls[r], ranks).instance;
        const { loss, gradients } = await callRanks(backend, open, calls, ['embeddings'], rank);
        nearNumber(loss, want.loss, tolerance, `rank ${rank}: loss`);
        await nearViews(gradients[0], [want[`grad_${a}`], want[`grad_${b}`]], tolerance, `rank ${rank}: gradient`);
      });
    }
  };

const checkPlainNtxent = twoViews(['out0', 'out1'], ({ temperature, gather_distributed: gather }) =>
  node(ntxent, { temperature, gather }),
);

async function checkNtxent(one: OracleCase, context: CheckContext): Promise<void> {
  const { params, inputs, outputs, tolerance } = one;
  if (!inputs.initial_bank) {
    await checkPlainNtxent(one, context);
    return;
  }
  const backend = await context.backend();
  const [size, width] = params.memory_bank_size;
  const setup = node(
    ntxent,
    { temperature: params.temperature, memory_bank_size: size },
    { symbols: { D: width }, saved: saved({ bank: inputs.initial_bank }) },
  );
  const callOf = (step: any): ReferenceInputs => ({ embeddings: stacked(step.inputs.out0, step.inputs.out1) });
  const { instance, state } = openFor(backend, setup, callOf(outputs.steps[0]));
  for (const [i, step] of outputs.steps.entries()) {
    const want = step.outputs;
    await backend.scopeAsync(async () => {
      const { loss, gradients } = await callLoss(backend, instance, callOf(step), ['embeddings'], i);
      nearNumber(loss, want.loss, tolerance, `step ${i}: loss`);
      await nearViews(gradients[0], [want.grad_out0, want.grad_out1], tolerance, `step ${i}: gradient`);
    });
    near(await stateValues(state, 'bank'), want.bank_after.data, tolerance, `step ${i}: bank`);
    same(state.numbers()['node.bank_ptr'], want.bank_ptr_after, `step ${i}: pointer`);
  }
}

async function checkDino({ params, inputs, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  const asState = (tensor: OracleTensor): OracleTensor => ({ ...tensor, shape: [1, params.output_dim] });
  let center = asState(inputs.initial_center);
  for (const [i, step] of outputs.steps.entries()) {
    const { teacher_out, student_out, epoch } = step.inputs;
    const schedule = outputs.teacher_temp_schedule.data.map(Number);
    const warm = epoch !== null && epoch < schedule.length;
    const temperature = warm ? schedule[epoch] : params.teacher_temp;
    const setup = node(
      dino,
      {
        student_temp: params.student_temp,
        teacher_temp_min: temperature,
        teacher_temp_max: temperature,
        crops_for_teacher: teacher_out.map((_: unknown, crop: number) => crop),
        ema_center: params.center_momentum,
      },
      { symbols: { V: student_out.length, K: params.output_dim }, saved: saved({ center }) },
    );
    const call = { student: stacked(...student_out), teacher: stacked(...teacher_out) };
    await backend.scopeAsync(async () => {
      const { loss, gradients, state } = await rankStep(backend, setup, [call], ['student'], 0);
      nearNumber(loss, step.outputs.loss, tolerance, `step ${i}: loss`);
      await nearViews(gradients[0], step.outputs.grad_student, tolerance, `step ${i}: gradient`);
      near(await stateValues(state, 'center'), step.outputs.center_after.data, tolerance, `step ${i}: center`);
    });
    center = asState(step.outputs.center_after);
  }
}

async function checkMsn({ params, inputs, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  const [k, d] = inputs.prototypes.shape;
  const transposed = (tensor: OracleTensor): OracleTensor => ({
    ...tensor,
    shape: [d, k],
    data: Array.from({ length: d * k }, (_, i) => tensor.data[(i % k) * d + Math.floor(i / k)]),
  });
  const call = { anchors: inputs.anchors, targets: inputs.targets, prototypes: [transposed(inputs.prototypes)] };
  await backend.scopeAsync(async () => {
    const { instance } = openFor(backend, node(msn, params), call);
    const wanted = ['anchors', 'targets', 'prototypes.0'];
    const { loss, gradients } = await callLoss(backend, instance, call, wanted);
    nearNumber(loss, outputs.loss, tolerance, 'loss');
    near(await gradients[0]!.data(), outputs.grad_anchors.data, tolerance, 'gradient of anchors');
    const targets = gradients[1] ? await gradients[1].data() : new Float32Array(outputs.grad_targets.data.length);
    near(targets, outputs.grad_targets.data, tolerance, 'gradient of targets');
    near(await gradients[2]!.data(), transposed(outputs.grad_prototypes).data, tolerance, 'gradient of prototypes');
  });
}

async function checkCosine({ params, inputs, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  const { dim, eps } = params;
  const setup = node(negativeCosine, { pair: 'same_row', stop_gradient: false, dim, eps });
  const call = { predictions: inputs.x0, projections: inputs.x1 };
  await backend.scopeAsync(async () => {
    const { instance } = openFor(backend, setup, call);
    const { loss, gradients } = await callLoss(backend, instance, call, ['predictions', 'projections']);
    nearNumber(loss, outputs.loss, tolerance, 'loss');
    near(await gradients[0]!.data(), outputs.grad_x0.data, tolerance, 'gradient of x0');
    near(await gradients[1]!.data(), outputs.grad_x1.data, tolerance, 'gradient of x1');
  });
}

/** Outputs of a queue are scores of the node's own queue, which its first step uses as they are. */
async function checkSwav({ params, inputs, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  const { high_resolution_outputs: high, low_resolution_outputs: low, queue_outputs: queue } = inputs;
  const [rows, k] = high[0].shape;
  const length = queue ? queue[0].shape[0] : 0;
  const call: ReferenceInputs = {
    scores: [stacked(...high, ...low)],
    embeddings: {
      shape: [rows * (high.length + low.length), 1],
      dtype: 'float32',
      data: Array(rows * (high.length + low.length)).fill(0),
    },
    prototypes: [{ shape: [1, k], dtype: 'float32', data: Array(k).fill(0) }],
  };
  const setup = node(
    swav,
    {
      temperature: params.temperature,
      num_iters: params.sinkhorn_iterations,
      epsilon: params.sinkhorn_epsilon,
      crops_for_assign: high.map((_: unknown, crop: number) => crop),
      queue: { queue_length: length },
    },
    {
      symbols: { V: high.length + low.length },
      run: { batchSize: rows },
      ...(queue ? { saved: saved({ local_queue0: { ...stacked(...queue), shape: [queue.length, length, k] } }) } : {}),
    },
  );
  await backend.scopeAsync(async () => {
    const { instance } = openFor(backend, setup, call);
    const { loss, gradients } = await callLoss(backend, instance, call, ['scores.0']);
    nearNumber(loss, outputs.loss, tolerance, 'loss');
    await nearViews(gradients[0], [...outputs.grad_high, ...outputs.grad_low], tolerance, 'gradient');
  });
}

/** The reference may leave the covariance as it is; that is a step without training. */
async function checkTico({ params, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  let covariance: OracleTensor | undefined;
  for (const [i, step] of outputs.steps.entries()) {
    const { z_a, z_b, update_covariance_matrix: training } = step.inputs;
    const call = { embeddings: stacked(z_a, z_b) };
    const setup = node(tico, params, {
      symbols: { D: z_a.shape[1] },
      ...(covariance ? { saved: saved({ C: covariance }) } : {}),
    });
    await backend.scopeAsync(async () => {
      const { instance, state } = openFor(backend, setup, call);
      const as = { run: (values: any, facts: any) => instance.run(values, { ...facts, training }) };
      const { loss, gradients } = await callLoss(backend, as, call, ['embeddings'], i);
      nearNumber(loss, step.outputs.loss, tolerance, `step ${i}: loss`);
      const wanted = [step.outputs.grad_z_a, step.outputs.grad_z_b];
      await nearViews(gradients[0], wanted, tolerance, `step ${i}: gradient`);
      near(await stateValues(state, 'C'), step.outputs.C_after.data, tolerance, `step ${i}: covariance`);
    });
    covariance = step.outputs.C_after;
  }
}

const file = (name: string): RegExp => new RegExp(`^lightly_losses/${name}\\.json$`);

export default [
  {
    pattern: file('barlow_twins'),
    check: twoViews(['z_a', 'z_b'], ({ lambda_param: lambda }) =>
      node(barlowTwins, { lambda, scale_loss: 1, standardize: 'each_view' }),
    ),
  },
  {
    pattern: file('vicreg'),
    check: twoViews(
      ['z_a', 'z_b'],
      ({ lambda_param: lambda, mu_param: mu, nu_param: nu, eps, gather_distributed: gather }) =>
        node(vicreg, { lambda, mu, nu, eps, gather }),
    ),
  },
  {
    pattern: file('dclw?'),
    check: twoViews(['out0', 'out1'], ({ temperature, sigma, gather_distributed: gather }) =>
      node(dcl, { temperature, sigma, gather }),
    ),
  },
  { pattern: file('ntxent'), check: checkNtxent },
  { pattern: file('dino'), check: checkDino },
  { pattern: file('msn'), check: checkMsn },
  { pattern: file('negative_cosine_similarity'), check: checkCosine },
  { pattern: file('swav'), check: checkSwav },
  { pattern: file('tico'), check: checkTico },
] satisfies readonly Checker[];
