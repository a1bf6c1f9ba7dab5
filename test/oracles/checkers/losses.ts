import barlowTwins from '../../../nodes/losses/barlow_twins.ts';
import bce from '../../../nodes/losses/bce_logits_multiple_output_single_target.ts';
import crossEntropy from '../../../nodes/losses/cross_entropy_multiple_output_single_target.ts';
import moco from '../../../nodes/losses/moco.ts';
import multicropSimclr from '../../../nodes/losses/multicrop_simclr_info_nce.ts';
import simclr from '../../../nodes/losses/simclr_info_nce.ts';
import type { NodeType } from '../../../runtime/node.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { meetingRanks } from '../../support/node-context.ts';
import type { CheckContext, Checker } from '../checker.ts';
import { near, nearNumber, same } from '../compare.ts';
import { callLoss, callRanks, type LossSetup, openFor, type ReferenceInputs } from '../loss.ts';
import { floats, type OracleCase, type OracleTensor } from '../oracle-file.ts';

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
  const { params, inputs, outputs } = one;
  const [first] = outputs.steps;
  const batch = (first.inputs.query ?? first.inputs.query_per_rank[0]).shape[0];
  const saved = (queue: OracleTensor, pointer: number) => ({
    tensors: new Map([['node.queue', { shape: queue.shape, values: floats(queue) }]]),
    numbers: { 'node.queue_ptr': pointer },
  });
  const setup = (queue: OracleTensor, pointer: number): LossSetup =>
    node(
      moco,
      { queue_size: params.queue_size, temperature: params.temperature },
      { symbols: { D: params.embedding_dim }, run: { batchSize: batch }, saved: saved(queue, pointer) },
    );
  // each step begins with the reference's state before it, so that several ranks need no second tape
  let queue = inputs.initial_queue as OracleTensor;
  let pointer = 0;
  for (const [i, step] of outputs.steps.entries()) {
    const calls: ReferenceInputs[] = step.inputs.query
      ? [{ query: step.inputs.query, key: step.inputs.key }]
      : step.inputs.query_per_rank.map((query: OracleTensor, r: number) => ({
          query,
          key: step.inputs.key_per_rank[r],
        }));
    const wanted: any[] = step.outputs.per_rank ?? [step.outputs];
    for (const [rank, want] of wanted.entries()) {
      await checkMocoStep(backend, setup(queue, pointer), calls, rank, want, one.tolerance, `step ${i}, rank ${rank}`);
    }
    queue = wanted[0].queue_after;
    pointer = wanted[0].queue_ptr_after;
  }
}

async function checkMocoStep(
  backend: TensorBackend,
  setup: LossSetup,
  calls: readonly ReferenceInputs[],
  rank: number,
  want: any,
  tolerance: number,
  at: string,
): Promise<void> {
  await backend.scopeAsync(async () => {
    const opened = meetingRanks(backend, calls.length).map((ranks, r) =>
      openFor(backend, setup, calls[r], calls.length === 1 ? undefined : ranks),
    );
    const { loss, gradients } = await callRanks(backend, (_, r) => opened[r].instance, calls, ['query'], rank);
    nearNumber(loss, want.loss, tolerance, `${at}: loss`);
    near(await gradients[0]!.data(), want.grad_query.data, tolerance, `${at}: gradient`);
    const [source] = opened[rank].state.tensors(() => true);
    near((await source.read()) as Float32Array, want.queue_after.data, tolerance, `${at}: queue`);
    same(opened[rank].state.numbers()['node.queue_ptr'], want.queue_ptr_after, `${at}: pointer`);
    for (const { state } of opened) state.dispose();
  });
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
] satisfies readonly Checker[];
