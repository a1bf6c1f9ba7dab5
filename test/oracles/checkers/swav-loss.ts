import swav from '../../../nodes/losses/swav.ts';
import { singleRank } from '../../../runtime/engine/ranks.ts';
import { createState, type SavedState } from '../../../runtime/engine/state.ts';
import type { NodeInstance, NodeType, Ranks } from '../../../runtime/node.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { createInstance, meetingRanks, nodeContext, tensorValue } from '../../support/node-context.ts';
import { realRanks } from '../../support/real-ranks.ts';
import type { CheckContext, Checker } from '../checker.ts';
import { near, nearNumber, same } from '../compare.ts';
import { toTensor, toWeight } from '../layout.ts';
import { floats, type OracleCase, type OracleTensor } from '../oracle-file.ts';

interface Call {
  readonly scores: readonly OracleTensor[];
  readonly embeddings: OracleTensor;
}

/** One rank's loss node, ready to be called. */
function openLoss(backend: TensorBackend, one: OracleCase, ranks: Ranks, call: Call) {
  const { params, inputs } = one;
  const initial: SavedState = savedState(inputs.initial_state ?? {});
  const state = createState(backend, initial);
  const prototypes = (inputs.prototypes ?? []).map((weight: OracleTensor) => toWeight(backend, weight));
  const node = createInstance(
    swav as NodeType,
    nodeContext(backend, swav as NodeType, {
      params: {
        temperature: params.temperature,
        num_iters: params.num_iters,
        epsilon: params.epsilon,
        crops_for_assign: params.crops_for_assign,
        temp_hard_assignment_iters: params.temp_hard_assignment_iters,
        use_double_precision: params.use_double_precision,
        shk_powerlaw: params.shk_powerlaw ?? 0,
        queue: {
          queue_length: params.local_queue_length * ranks.size,
          start_iter: params.queue_start_iter,
        },
      },
      symbols: { V: params.num_crops, N: params.batch_size },
      inputs: {
        scores: call.scores.map(({ shape }) => tensorValue(...shape)),
        embeddings: [tensorValue(...call.embeddings.shape)],
        prototypes: prototypes.map((weight: { shape: number[] }) => tensorValue(...weight.shape)),
      },
      run: { batchSize: params.batch_size },
      ranks,
      state,
    }),
  );
  return { node, state, prototypes };
}

const savedState = (values: Readonly<Record<string, OracleTensor>>): SavedState => ({
  tensors: new Map(
    Object.entries(values)
      .filter(([name]) => name !== 'num_iteration')
      .map(([name, tensor]) => [`node.${name}`, { shape: tensor.shape, values: floats(tensor) }]),
  ),
  numbers: values.num_iteration ? { 'node.num_iteration': floats(values.num_iteration)[0] } : {},
  hooks: {},
});

async function callLoss(backend: TensorBackend, node: NodeInstance, call: Call, prototypes: readonly unknown[]) {
  const scores = call.scores.map((tensor) => backend.tf.variable(toTensor(backend, tensor)));
  const embeddings = toTensor(backend, call.embeddings);
  const { loss } = await node.run(
    { scores, embeddings, prototypes },
    { phase: 'train', training: true, iteration: 0, epoch: 0 },
  );
  return { scores, loss };
}

async function checkSteps(one: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  const { steps } = one.outputs;
  const { node, state, prototypes } = openLoss(backend, one, singleRank, steps[0].inputs);
  for (const [i, step] of steps.entries()) {
    await backend.scopeAsync(async () => {
      const tape = backend.openTape();
      try {
        const { scores, loss } = await callLoss(backend, node, step.inputs, prototypes);
        const gradients = tape.backward(loss, scores);
        nearNumber((await loss.data())[0], step.outputs.loss, one.tolerance, `step ${i}: loss`);
        for (const [head, want] of step.outputs.grad_scores.entries()) {
          near(await gradients[head]!.data(), want.data, one.tolerance, `step ${i}: gradient of scores ${head}`);
        }
      } finally {
        tape.close();
      }
    });
    await checkState(state, step.outputs, one.tolerance, `step ${i}`);
  }
  state.dispose();
}

async function checkState(
  state: ReturnType<typeof createState>,
  outputs: Readonly<Record<string, any>>,
  tolerance: number,
  what: string,
): Promise<void> {
  const numbers = state.numbers();
  same(numbers['node.use_queue'] === 1, outputs.use_queue, `${what}: whether the queue is in use`);
  const tensors = new Map(state.tensors(() => true).map((source) => [source.name, source]));
  for (const [name, want] of Object.entries<OracleTensor>(outputs.state_after)) {
    if (name === 'num_iteration') {
      near([numbers[`node.${name}`]], want.data, 0, `${what}: ${name}`);
      continue;
    }
    const source = tensors.get(`node.${name}`);
    same(source?.shape, [...want.shape], `${what}: shape of ${name}`);
    near((await source!.read()) as Float32Array, want.data, tolerance, `${what}: ${name}`);
  }
}

/** Ranks meet inside one process. Their losses share one tape; a rank's gradient is that of its own loss. */
async function checkRanks(one: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  const { inputs, outputs, params, tolerance } = one;
  for (const differentiated of outputs.per_rank.keys()) {
    await backend.scopeAsync(async () => {
      const real = realRanks(params.world_size);
      // ranks that are processes: each compares its own
      if (real && real.rank !== differentiated) return;
      const ranks = real ? [real] : meetingRanks(backend, params.world_size);
      const tape = backend.openTape();
      try {
        const results = await Promise.all(
          ranks.map((rank) => {
            const r = rank.rank;
            const call = { embeddings: inputs.embeddings_per_rank[r], scores: inputs.scores_per_rank[r] };
            const { node, prototypes } = openLoss(backend, one, rank, call);
            return callLoss(backend, node, call, prototypes);
          }),
        );
        const { loss, scores } = results[real ? 0 : differentiated];
        const gradients = tape.backward(loss, scores);
        const want = outputs.per_rank[differentiated];
        nearNumber((await loss.data())[0], want.loss, tolerance, `rank ${differentiated}: loss`);
        for (const [head, gradient] of want.grad_scores.entries()) {
          near(await gradients[head]!.data(), gradient.data, tolerance, `rank ${differentiated}: gradient ${head}`);
        }
      } finally {
        tape.close();
      }
    });
  }
}

export default [
  {
    pattern: /^losses\/swav_loss\.json$/,
    check: (one, context) => (one.outputs.per_rank ? checkRanks(one, context) : checkSteps(one, context)),
  },
] satisfies readonly Checker[];
