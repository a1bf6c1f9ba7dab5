import { isLeft } from 'fp-ts/lib/Either.js';
import { checkDocument } from '../../../graph/check/check.ts';
import type { CheckedGraph } from '../../../graph/checked.ts';
import { derivedFacts } from '../../../graph/derived.ts';
import { resolveObject } from '../../../graph/document/resolve.ts';
import { formatProblem } from '../../../graph/problem.ts';
import { createRegistry } from '../../../graph/registry.ts';
import type { PipelineDocument } from '../../../runtime/pipeline/open.ts';
import { type Checker, NotSupported } from '../checker.ts';
import { fails, same } from '../compare.ts';
import type { OracleCase } from '../oracle-file.ts';

const COLLATORS: Readonly<Record<string, string>> = {
  default_collate: 'collator/default',
  multicrop_collator: 'collator/multicrop',
  multicrop_mixup_collator: 'collator/multicrop_mixup',
};

interface Shipped {
  readonly document: PipelineDocument;
  /** the loss works on several crops, so that a collator of such is needed */
  readonly crops: boolean;
}

/** A pipeline that ships, with the settings of the case that are not inferred. */
function shipped({ params, inputs }: OracleCase): Shipped {
  const { loss_name, batchsize_per_replica: batch_size, drop_last } = params;
  const [crops] = inputs.transforms;
  const knobs = crops && {
    num_crops: crops.num_crops,
    size_crops: crops.size_crops,
    crop_scales: crops.crop_scales,
  };
  const document = (of: string, nodes: PipelineDocument['nodes'] = {}, more: object = {}): PipelineDocument => ({
    extends: `pretrain/${of}`,
    knobs: { batch_size, ...knobs, ...more },
    nodes: { ...nodes, batch: { drop_last, ...(nodes.batch ?? {}) } },
  });
  const { temperature, epsilon, queue, crops_for_assign } = inputs.loss_config;
  const queued = () => ({
    loss: {
      temperature,
      epsilon,
      crops_for_assign,
      queue: { queue_length: queue.queue_length, start_iter: queue.start_iter },
    },
  });
  switch (loss_name) {
    case 'simclr_info_nce_loss':
      return { document: document('simclr/simclr_8node_resnet'), crops: false };
    case 'multicrop_simclr_info_nce_loss':
      return { document: document('swav/swav_8node_resnet', multicropSimclr(temperature)), crops: true };
    case 'swav_loss':
      return {
        document: document('swav/swav_8node_resnet', {
          ...queued(),
          loss: { ...queued().loss, inputs: { prototypes: 'head.prototypes' } },
        }),
        crops: true,
      };
    case 'swav_momentum_loss':
      return { document: document('swav_momentum/swav_momentum_8node_resnet', queued()), crops: true };
    case 'deepclusterv2_loss':
      return { document: document('deepcluster_v2/deepclusterv2_2crops_resnet'), crops: true };
    case 'bce_logits_multiple_output_single_target':
      return { document: { ...multiLabel(batch_size) }, crops: false };
    case 'dino_loss': {
      const blur_p = (crops.num_crops as number[]).flatMap((count) => new Array<number>(count).fill(0.5));
      const head = { output_dim: inputs.loss_config.output_dim };
      return { document: document('dino/dino_resnet', { head }, { blur_p }), crops: true };
    }
    default:
      throw new NotSupported(`no pipeline with ${loss_name}`);
  }
}

const multicropSimclr = (temperature: number): PipelineDocument['nodes'] => ({
  loss: { type: 'loss/multicrop_simclr_info_nce', inputs: { embeddings: 'head.embeddings' }, temperature },
});

/** Two classes that may both hold, from a list of files. */
const multiLabel = (batch_size: number): PipelineDocument => ({
  name: 'multi_label',
  nodes: {
    images: { type: 'dataset/shapes', length: 64, size: 32 },
    tensors: { type: 'transform/to_tensor', from: 'images' },
    batch: { type: 'collator/targets_one_hot', from: 'tensors', batch_size, num_classes: 10 },
    trunk: { type: 'trunk/resnet', inputs: { images: 'batch.images' }, depth: 18 },
    head: { type: 'head/mlp', inputs: { features: 'trunk.flatten' }, dims: [512, 10] },
    loss: {
      type: 'loss/bce_logits_multiple_output_single_target',
      inputs: { outputs: 'head.output', target: 'batch.label' },
    },
    sgd: { type: 'optimizer/sgd', inputs: { loss: 'loss.loss' }, lr: 0.1 },
  },
});

/** The graph, or what `pipe check` says is wrong. */
async function checked(document: PipelineDocument): Promise<CheckedGraph> {
  const resolved = await resolveObject(document);
  if (isLeft(resolved)) throw new Error(resolved.left.map((problem) => formatProblem(problem)).join('\n'));
  const graph = await checkDocument(resolved.right, await createRegistry(), { machine: false });
  if (isLeft(graph)) throw new Error(graph.left.map((problem) => formatProblem(problem)).join('\n'));
  return graph.right;
}

const withCollator = (document: PipelineDocument, type: string): PipelineDocument => {
  const { batch_size } = document.knobs as { batch_size: number };
  const { batch } = document.nodes as { batch: { drop_last: boolean } };
  return {
    ...document,
    nodes: { ...document.nodes, batch: { type, from: 'views', batch_size, drop_last: batch.drop_last } },
  };
};

/**
 * What the reference writes into its settings our graph knows. Where it changes the collator by itself, ours refuses a
 * collator that does not fit and is right with the one that the reference takes.
 */
async function check(one: OracleCase): Promise<void> {
  const { params, outputs } = one;
  const { document, crops } = shipped(one);
  const given = COLLATORS[params.collate_function];
  if (crops && given === 'collator/default') {
    await fails(() => checked(withCollator(document, given)), 'a collator of single views');
  }
  if (outputs.error) return;
  const collator = COLLATORS[outputs.collate_function];
  const graph = await checked(crops ? withCollator(document, collator) : document);
  const ranks: number = params.num_nodes * params.num_proc_per_node;
  const { loss } = outputs;
  const facts = derivedFacts(graph, ranks).get('loss') ?? {};
  const wanted: Readonly<Record<string, unknown>> = {
    num_crops: loss.num_crops,
    world_size: loss.buffer_params?.world_size ?? loss.world_size,
    effective_batch_size: loss.buffer_params?.effective_batch_size,
    batchsize_per_replica: loss.BATCHSIZE_PER_REPLICA,
    queue_length: loss.queue?.queue_length,
    local_queue_length: loss.queue?.local_queue_length,
    output_dim: loss.output_dim,
  };
  const said = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  same(facts, said, 'derived');
  if (loss.DROP_LAST === undefined) return;
  same((graph.byName.get('batch')!.params as { drop_last: boolean }).drop_last, loss.DROP_LAST, 'drop_last');
}

export default [{ pattern: /^schedulers\/infer_losses_config\.json$/, check }] satisfies readonly Checker[];
