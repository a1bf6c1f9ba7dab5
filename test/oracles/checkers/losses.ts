import barlowTwins from '../../../nodes/losses/barlow_twins.ts';
import bce from '../../../nodes/losses/bce_logits_multiple_output_single_target.ts';
import crossEntropy from '../../../nodes/losses/cross_entropy_multiple_output_single_target.ts';
import dino from '../../../nodes/losses/dino.ts';
import moco from '../../../nodes/losses/moco.ts';
import multicropSimclr from '../../../nodes/losses/multicrop_simclr_info_nce.ts';
import simclr from '../../../nodes/losses/simclr_info_nce.ts';
import swavMomentum from '../../../nodes/losses/swav_momentum.ts';
import type { NodeType, StepFacts, Values } from '../../../runtime/node.ts';
import type { CheckContext, Checker } from '../checker.ts';
import { near, nearNumber, same } from '../compare.ts';
import { toWeight } from '../layout.ts';
import {
  callLoss,
  callRanks,
  type LossSetup,
  openFor,
  openLoss,
  type ReferenceInputs,
  rankStep,
  saved,
  shapesOf,
  stateValues,
} from '../loss.ts';
import type { OracleCase, OracleTensor } from '../oracle-file.ts';

type Params = OracleCase['params'];

/** A stateless loss of one input `embeddings`, on one rank or several. */
const embeddingLoss =
  (setupOf: (params: Params) => LossSetup): Checker['check'] =>
  async (one, context) => {
    const backend = await context.backend();
    const setup = setupOf(one.params);
    const { inputs, outputs, tolerance } = one;
    const compare = async (result: Awaited<ReturnType<typeof callLoss>>, want: any, what: string) => {
      nearNumber(result.loss, want.loss, tolerance, `${what}loss`);
      near(await result.gradients[0]!.data(), want.grad.data, tolerance, `${what}gradient`);
    };
    if (!outputs.per_rank) {
      await backend.scopeAsync(async () => {
        const call: ReferenceInputs = { embeddings: inputs.embeddings };
        const { instance } = openFor(backend, setup, call);
        await compare(await callLoss(backend, instance, call, ['embeddings']), outputs, '');
      });
      return;
    }
    const calls = inputs.embeddings_per_rank.map((embeddings: OracleTensor) => ({ embeddings }));
    for (const [rank, want] of outputs.per_rank.entries()) {
      await backend.scopeAsync(async () => {
        const open = (ranks: any, r: number) => openFor(backend, setup, calls[r], ranks).instance;
        await compare(await callRanks(backend, open, calls, ['embeddings'], rank), want, `rank ${rank}: `);
      });
    }
  };

/** Several outputs against one target. */
const outputsLoss =
  (setupOf: (params: Params) => LossSetup): Checker['check'] =>
  async ({ params, inputs, outputs, tolerance }, context) => {
    const backend = await context.backend();
    const call: ReferenceInputs = { outputs: inputs.outputs, target: inputs.target };
    const wanted = inputs.outputs.map((_: unknown, i: number) => `outputs.${i}`);
    await backend.scopeAsync(async () => {
      const { instance } = openFor(backend, setupOf(params), call);
      const { loss, gradients } = await callLoss(backend, instance, call, wanted);
      nearNumber(loss, outputs.loss, tolerance, 'loss');
      for (const [i, want] of outputs.grads.entries()) {
        near(await gradients[i]!.data(), want.data, tolerance, `gradient of output ${i}`);
      }
    });
  };

const node = (
  definition: unknown,
  params: Readonly<Record<string, unknown>>,
  rest: Partial<LossSetup> = {},
): LossSetup => ({
  definition: definition as NodeType,
  params,
  ...rest,
});

async function checkMoco(one: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  const { params, inputs, outputs, tolerance } = one;
  const [first] = outputs.steps;
  const batch = (first.inputs.query ?? first.inputs.query_per_rank[0]).shape[0];
  // each step begins with the reference's state before it: several ranks share one tape, so that each has a turn
  let queue = inputs.initial_queue as OracleTensor;
  let pointer = 0;
  for (const [i, step] of outputs.steps.entries()) {
    const calls = ranksOf(step.inputs, ['query', 'key']);
    const setup = node(
      moco,
      { queue_size: params.queue_size, temperature: params.temperature },
      {
        symbols: { D: params.embedding_dim },
        run: { batchSize: batch },
        saved: saved({ queue }, { queue_ptr: pointer }),
      },
    );
    const wanted: any[] = step.outputs.per_rank ?? [step.outputs];
    for (const [rank, want] of wanted.entries()) {
      const at = `step ${i}, rank ${rank}`;
      await backend.scopeAsync(async () => {
        const { loss, gradients, state } = await rankStep(backend, setup, calls, ['query'], rank);
        nearNumber(loss, want.loss, tolerance, `${at}: loss`);
        near(await gradients[0]!.data(), want.grad_query.data, tolerance, `${at}: gradient`);
        near(await stateValues(state, 'queue'), want.queue_after.data, tolerance, `${at}: queue`);
        same(state.numbers()['node.queue_ptr'], want.queue_ptr_after, `${at}: pointer`);
      });
    }
    queue = wanted[0].queue_after;
    pointer = wanted[0].queue_ptr_after;
  }
}

/** Inputs of each rank: "<port>_per_rank", or "<port>" of the only one. */
function ranksOf(inputs: Params, ports: readonly string[]): ReferenceInputs[] {
  const ranks = inputs[`${ports[0]}_per_rank`]?.length ?? 1;
  return Array.from({ length: ranks }, (_, rank) =>
    Object.fromEntries(ports.map((port) => [port, inputs[`${port}_per_rank`]?.[rank] ?? inputs[port]])),
  );
}

async function checkDino({ params, inputs, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  let center = inputs.initial_center as OracleTensor;
  for (const [i, step] of outputs.steps.entries()) {
    const calls = ranksOf(step.inputs, ['student_output', 'teacher_output']).map(
      ({ student_output: student, teacher_output: teacher }) => ({ student, teacher }),
    );
    const setup = node(
      dino,
      {
        student_temp: params.student_temp,
        teacher_temp_min: step.inputs.teacher_temp,
        teacher_temp_max: step.inputs.teacher_temp,
        crops_for_teacher: params.crops_for_teacher,
        ema_center: params.ema_center,
      },
      { symbols: { V: params.num_crops, K: params.output_dim }, saved: saved({ center }) },
    );
    for (const [rank, want] of step.outputs.per_rank.entries()) {
      const at = `step ${i}, rank ${rank}`;
      await backend.scopeAsync(async () => {
        const { loss, gradients, state } = await rankStep(backend, setup, calls, ['student'], rank);
        nearNumber(loss, want.loss, tolerance, `${at}: loss`);
        near(await gradients[0]!.data(), want.grad_student.data, tolerance, `${at}: gradient`);
        near(await stateValues(state, 'center'), want.center_after.data, tolerance, `${at}: center`);
      });
    }
    center = step.outputs.per_rank[0].center_after;
  }
}

async function checkSwavMomentum(one: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  const { params, inputs, outputs, tolerance } = one;
  const { num_iteration, ...queues } = inputs.initial_state;
  const [first] = outputs.steps;
  const call = ({ scores, momentum_scores, momentum_embeddings }: Params): ReferenceInputs => ({
    scores,
    momentum_scores,
    momentum_embeddings,
  });
  const prototypes = inputs.momentum_prototypes as readonly OracleTensor[];
  const { instance, state } = openLoss(
    backend,
    node(
      swavMomentum,
      {
        temperature: params.temperature,
        num_iters: params.num_iters,
        epsilon: params.epsilon,
        crops_for_assign: params.crops_for_assign,
        queue: { queue_length: params.local_queue_length, start_iter: params.queue_start_iter },
      },
      {
        symbols: { V: params.num_crops },
        run: { batchSize: params.batch_size },
        saved: saved(queues, { num_iteration: Number(num_iteration.data[0]) }),
      },
    ),
    { ...shapesOf(call(first.inputs)), momentum_prototypes: prototypes.map(({ shape: [k, d] }) => [d, k]) },
  );
  const weights = prototypes.map((weight) => toWeight(backend, weight));
  for (const [i, step] of outputs.steps.entries()) {
    await backend.scopeAsync(async () => {
      const wanted = step.inputs.scores.map((_: unknown, head: number) => `scores.${head}`);
      const withWeights = {
        run: (values: Values, facts: StepFacts) => instance.run({ ...values, momentum_prototypes: weights }, facts),
      };
      const { loss, gradients } = await callLoss(backend, withWeights, call(step.inputs), wanted, i);
      nearNumber(loss, step.outputs.loss, tolerance, `step ${i}: loss`);
      for (const [head, want] of step.outputs.grad_scores.entries()) {
        near(await gradients[head]!.data(), want.data, tolerance, `step ${i}: gradient of scores ${head}`);
      }
    });
    for (const [name, want] of Object.entries<OracleTensor>(step.outputs.state_after)) {
      const got = name === 'num_iteration' ? [state.numbers()['node.num_iteration']] : await stateValues(state, name);
      near(got, want.data, tolerance, `step ${i}: ${name}`);
    }
  }
}

export default [
  {
    pattern: /^losses\/simclr_info_nce_loss\.json$/,
    check: embeddingLoss(({ temperature }) => node(simclr, { temperature })),
  },
  {
    pattern: /^losses\/multicrop_simclr_info_nce_loss\.json$/,
    check: embeddingLoss(({ temperature, num_crops }) =>
      node(multicropSimclr, { temperature }, { symbols: { V: num_crops } }),
    ),
  },
  {
    pattern: /^losses\/barlow_twins_loss\.json$/,
    check: embeddingLoss(({ lambda_: lambda, scale_loss }) => node(barlowTwins, { lambda, scale_loss })),
  },
  {
    pattern: /^losses\/cross_entropy_multiple_output_single_target\.json$/,
    check: outputsLoss(({ weight, ...params }) => node(crossEntropy, { ...params, ...(weight ? { weight } : {}) })),
  },
  {
    pattern: /^losses\/bce_logits_multiple_output_single_target\.json$/,
    check: outputsLoss(({ normalize_output }) => node(bce, { normalize_output })),
  },
  { pattern: /^losses\/moco_loss\.json$/, check: checkMoco },
  { pattern: /^losses\/dino_loss\.json$/, check: checkDino },
  { pattern: /^losses\/swav_momentum_loss\.json$/, check: checkSwavMomentum },
] satisfies readonly Checker[];
