/** What the losses of the SwAV family share. */
import { type ComputeContext, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { queueLengths } from './derived.ts';
import type { Tools } from './sinkhorn.ts';
import { createQueue, type SwavQueue } from './swav-queue.ts';

/** @param queued what the queue holds, for its description */
export const swavParams = (queued: string) => ({
  temperature: T.Number({ default: 0.1, exclusiveMinimum: 0, description: 'softmax temperature' }),
  num_iters: T.Integer({ default: 3, minimum: 0, description: 'rounds of Sinkhorn-Knopp' }),
  epsilon: T.Number({ default: 0.05, exclusiveMinimum: 0, description: 'entropy of the assignments' }),
  crops_for_assign: T.Array(T.Integer({ minimum: 0 }), {
    default: [0, 1],
    minItems: 1,
    uniqueItems: true,
    description: 'crops whose assignments are predicted',
  }),
  normalize_last_layer: T.Boolean({
    default: true,
    description: 'keep the prototypes at length 1 after each update',
  }),
  queue: T.Object(
    {
      queue_length: T.Integer({ default: 0, minimum: 0, description: 'embeddings over all ranks; 0: no queue' }),
      start_iter: T.Integer({ default: 0, minimum: 0, description: 'first step that uses the queue' }),
    },
    { default: {}, description: queued },
  ),
});

/**
 * Every crop predicts the assignments of the assign crops, its own aside: −mean Σ q·log softmax(scores / temperature),
 * averaged over assign crops and predicted crops.
 * @param scores [V·n, K], crop-major
 * @param assignments [n, K] for each of `assignCrops`
 */
export function predictionLoss(
  { tf, ops }: Pick<Tools, 'tf' | 'ops'>,
  scores: Tensor,
  assignments: readonly Tensor[],
  assignCrops: readonly number[],
  crops: number,
  temperature: number,
): Tensor {
  const targets = ops.noGrad(() => {
    const sums = Array.from({ length: crops }, (_, crop) => {
      const others = assignments.filter((_, i) => assignCrops[i] !== crop);
      return others.length > 0 ? tf.addN(others) : tf.zerosLike(assignments[0]);
    });
    return tf.concat(sums, 0);
  });
  const mean = ops.crossEntropy(tf.div(scores, temperature), targets);
  return tf.mul(mean, crops / (assignments.length * (crops - 1)));
}

/** Views per image, from the shapes of the graph. */
export function cropCount({ name, symbols }: ComputeContext<unknown>, assignCrops: readonly number[]): number {
  const crops = symbols.V;
  if (crops === undefined) {
    throw new Error(`${name} cannot tell the number of crops. Feed it from a collator with several views per image`);
  }
  if (crops < 2) throw new Error(`${name} needs two crops or more, not ${crops}. Make the transform give more views`);
  const missing = assignCrops.find((crop) => crop >= crops);
  if (missing === undefined) return crops;
  throw new Error(`crops_for_assign names crop ${missing}, and there are ${crops} (the first is 0)`);
}

export function rowsPerCrop(all: number, crops: number): number {
  const rows = all / crops;
  if (Number.isInteger(rows)) return rows;
  throw new Error(`${all} rows are no whole number of images with ${crops} crops each`);
}

export interface QueueParams {
  readonly crops_for_assign: readonly number[];
  readonly queue: { readonly queue_length: number; readonly start_iter: number };
}

/** The queue of a loss, cut to whole batches; undefined without one. `ports` name the inputs that tell its widths. */
export function openQueue(
  context: ComputeContext<QueueParams>,
  ports: { readonly embeddings: string; readonly scores: string; readonly prototypes: string },
): SwavQueue | undefined {
  const { params, run, ranks, inputs, name } = context;
  const wanted = params.queue.queue_length;
  const batchSize = run.batchSize * ranks.size;
  const { each: length } = queueLengths(wanted, batchSize, ranks.size);
  if (wanted > 0 && length === 0) {
    const message = `a queue of ${wanted} is smaller than a batch of ${batchSize}, so that there is none`;
    context.notice('warning', message, `Set queue_length to a multiple of ${batchSize}`);
  }
  if (length === 0) return undefined;
  if (!inputs[ports.prototypes]?.length) {
    throw new Error(
      `${name} has a queue but no prototypes. Connect its input "${ports.prototypes}" to those of the head`,
    );
  }
  const widths = (port: string): number[] =>
    (inputs[port] ?? []).flatMap(({ shapes = [] }) =>
      shapes.map((shape) => {
        const [size] = shape.at(-1) ?? [];
        if (typeof size === 'number') return size;
        throw new Error(`${name} cannot tell the width of its input ${port}`);
      }),
    );
  return createQueue(context, {
    assignCrops: params.crops_for_assign,
    length,
    embeddingDim: widths(ports.embeddings)[0],
    prototypes: widths(ports.scores),
  });
}

export function requirePrototypes(value: unknown): readonly Tensor[] {
  if (Array.isArray(value) && value.length > 0) return value as readonly Tensor[];
  throw new Error('a queue needs prototypes, and none were given');
}
