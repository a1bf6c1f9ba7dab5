import deepCluster, { createDeepCluster, type DeepCluster } from '../../../nodes/losses/deepclusterv2.ts';
import nce, { createNce } from '../../../nodes/losses/nce_with_memory.ts';
import type { NodeType } from '../../../runtime/node.ts';
import type { CheckContext, Checker } from '../checker.ts';
import { near, nearNumber, same } from '../compare.ts';
import { callLoss, openFor, type ReferenceInputs, saved, stateValues } from '../loss.ts';
import type { OracleCase, OracleTensor } from '../oracle-file.ts';

/** Clusters the given memory from the given rows, then calls the loss. */
async function checkDeepCluster(
  { params, inputs, outputs, tolerance }: OracleCase,
  context: CheckContext,
): Promise<void> {
  const backend = await context.backend();
  const samples: number = params.num_train_samples;
  const batchSize: number = params.BATCHSIZE_PER_REPLICA;
  const steps = params.DROP_LAST ? Math.floor(samples / batchSize) : Math.ceil(samples / batchSize);
  const calls: ReferenceInputs[] = inputs.forward_steps.map(({ output, idx }: any) => ({
    embeddings: output,
    index: idx,
  }));
  let opened: DeepCluster | undefined;
  const { instance, state } = openFor(
    backend,
    {
      definition: deepCluster as NodeType,
      params: {
        temperature: params.temperature,
        num_clusters: params.num_clusters,
        kmeans_iters: params.kmeans_iters,
        crops_for_mb: params.crops_for_mb,
      },
      symbols: { V: params.num_crops, D: params.embedding_dim },
      run: { batchSize, trainSamples: samples, stepsPerEpoch: steps },
      saved: saved({
        local_memory_embeddings: inputs.local_memory_embeddings,
        local_memory_index: inputs.local_memory_index,
      }),
      open: (nodeContext) => {
        opened = createDeepCluster(nodeContext, (head) => inputs.initial_centroid_rows[head].data);
        return opened;
      },
    },
    calls[0],
  );
  await backend.scopeAsync(() => opened!.cluster(0));
  for (const [name, want] of Object.entries<OracleTensor>(outputs.after_cluster_memory)) {
    near(await stateValues(state, name), want.data, name === 'assignments' ? 0 : tolerance, name);
  }
  for (const [i, want] of outputs.forward_steps.entries()) {
    await backend.scopeAsync(async () => {
      const { loss, gradients } = await callLoss(backend, instance, calls[i], ['embeddings'], i);
      nearNumber(loss, want.loss, tolerance, `step ${i}: loss`);
      near(await gradients[0]!.data(), want.grad.data, tolerance, `step ${i}: gradient`);
    });
    same(state.numbers()['node.start_idx'], want.start_idx_after, `step ${i}: rows of the memory written`);
    for (const [name, tensor] of Object.entries<OracleTensor>(want.memory_after)) {
      near(await stateValues(state, name), tensor.data, tolerance, `step ${i}: ${name}`);
    }
  }
}

/** The recorded negatives take the place of those that the node draws. */
async function checkNce({ params, inputs, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  let sampled: readonly OracleTensor[] = [];
  const callOf = ({ outputs: list, target }: any): ReferenceInputs => ({ outputs: list, index: target });
  const { instance, state } = openFor(
    backend,
    {
      definition: nce as NodeType,
      params: {
        loss_type: params.loss_type,
        norm_embedding: params.norm_embedding,
        temperature: params.temperature,
        loss_weights: params.loss_weights,
        norm_constant: params.norm_constant,
        update_mem_with_emb_index: params.update_mem_with_emb_index,
        num_negatives: params.num_negatives,
        ignore_index: params.ignore_index,
        memory: { momentum: params.memory_momentum, update_mem_on_forward: params.update_mem_on_forward },
      },
      symbols: { D: params.embedding_dim },
      run: { trainSamples: params.num_train_samples },
      saved: saved({ memory: inputs.initial_memory }),
      open: (nodeContext) =>
        createNce(nodeContext, (output, positives) => {
          const { shape, data } = sampled[output];
          const rows = positives.map((_, row) => data.slice(row * shape[1] + 1, (row + 1) * shape[1]).map(Number));
          same(
            positives,
            positives.map((_, row) => Number(data[row * shape[1]])),
            'positives',
          );
          return rows.flat();
        }),
    },
    callOf(outputs.steps[0].inputs),
  );
  for (const [i, step] of outputs.steps.entries()) {
    sampled = step.inputs.sampled_indices;
    const wanted = step.inputs.outputs.map((_: unknown, output: number) => `outputs.${output}`);
    await backend.scopeAsync(async () => {
      const { loss, gradients } = await callLoss(backend, instance, callOf(step.inputs), wanted, i);
      nearNumber(loss, step.outputs.loss, tolerance, `step ${i}: loss`);
      for (const [output, want] of step.outputs.grads.entries()) {
        near(await gradients[output]!.data(), want.data, tolerance, `step ${i}: gradient of output ${output}`);
      }
    });
    near(await stateValues(state, 'memory'), step.outputs.memory_after.data, tolerance, `step ${i}: memory`);
    nearNumber(state.numbers()['node.norm_constant'], step.outputs.Z_after, tolerance, `step ${i}: norm constant`);
  }
}

export default [
  { pattern: /^losses\/deepclusterv2_loss\.json$/, check: checkDeepCluster },
  { pattern: /^losses\/nce_loss_with_memory\.json$/, check: checkNce },
] satisfies readonly Checker[];
