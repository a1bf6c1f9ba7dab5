import type { HookEvent, RunView } from '../../runtime/events.ts';
import { batch, type ComputeContext, defineNode, type NodeInstance, T } from '../../runtime/node.ts';
import type { Tensor, Variable } from '../../runtime/tensor/types.ts';
import { known } from './derived.ts';
import { sphericalKMeans } from './spherical-kmeans.ts';
import { cropCount, rowsPerCrop } from './swav-parts.ts';

/** index of a row that no image has filled */
const EMPTY = -1;

interface Params {
  readonly temperature: number;
  readonly num_clusters: readonly number[];
  readonly kmeans_iters: number;
  readonly crops_for_mb: readonly number[];
}

/**
 * DeepCluster-v2: predict the cluster of an image, from k-means over the embeddings of the epoch before. Caron et al.
 * 2020, arXiv:2006.09882. For each set of clusters the cross entropy of cosine / temperature against the assignment of
 * the image; averaged over the sets. A memory holds this rank's last embedding of each image: filled before training
 * begins, then by each batch; it is clustered at the begin of every training phase, the sets taking turns with the crops
 * of the memory.
 * Differences from the reference code: the memory holds no references to the graph, so that it does not grow; a row of
 * it that no image has filled (images that do not come out even over ranks) is no row, rather than one of image 0.
 */
export default defineNode({
  type: 'loss/deepclusterv2',
  description: 'DeepCluster-v2: predict the k-means cluster of an image (arXiv:2006.09882).',
  aliases: ['deepclusterv2_loss'],
  role: 'loss',
  params: T.Object({
    temperature: T.Number({ default: 0.1, exclusiveMinimum: 0, description: 'softmax temperature' }),
    num_clusters: T.Array(T.Integer({ minimum: 1 }), {
      default: [3000, 3000, 3000],
      minItems: 1,
      description: 'clusters of each set',
    }),
    kmeans_iters: T.Integer({ default: 10, minimum: 0, description: 'rounds of k-means' }),
    crops_for_mb: T.Array(T.Integer({ minimum: 0 }), {
      default: [0],
      minItems: 1,
      uniqueItems: true,
      description: 'crops kept in the memory',
    }),
  }),
  inputs: {
    embeddings: batch.tensor('float32', ['V*N', 'D'], { description: 'crop-major' }),
    index: batch.index(['V*N'], { description: 'position in the dataset, once per crop' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['num_clusters', 'temperature'],
  derives: ({ symbols, batchSize }) => known({ num_crops: symbols.V, batchsize_per_replica: batchSize }),
  create: (context) =>
    createDeepCluster(context, (head, epoch, rows) => context.random.fork('centroids', epoch, head).permutation(rows)),
});

/** Rows of the memory in the order in which they become the first centroids. */
export type PickRows = (head: number, epoch: number, rows: number) => ArrayLike<number>;

export interface DeepCluster extends NodeInstance {
  /** k-means over the memory, and the assignments of all images */
  cluster(epoch: number): Promise<void>;
}

export function createDeepCluster(context: ComputeContext<Params>, pick: PickRows): DeepCluster {
  const { params, symbols, tf, ops, ranks, state, run, name, refs } = context;
  const tools = { tf, ops, ranks };
  const width = symbols.D;
  if (width === undefined) throw new Error(`${name} cannot tell the width of its embeddings`);
  const crops = cropCount(context, params.crops_for_mb);
  const size = Math.min(Math.ceil(run.trainSamples / ranks.size), run.stepsPerEpoch * run.batchSize);
  const banks = params.crops_for_mb.length;
  const memory = state.tensor('local_memory_embeddings', [banks, size, width], 'float32', () => 0);
  const indices = state.tensor('local_memory_index', [size], 'int32', () => EMPTY);
  const assignments = state.tensor('assignments', [params.num_clusters.length, run.trainSamples], 'int32', () => -100);
  const centroids = params.num_clusters.map((count, head) =>
    state.tensor(`centroids${head}`, [count, width], 'float32', (random) =>
      Float32Array.from({ length: count * width }, () => random.next()),
    ),
  );
  const offset = state.number('start_idx', 0);
  const set = (variable: Variable, f: () => Tensor) => {
    const value = ops.noGrad(f);
    variable.assign(value as never);
    value.dispose();
  };
  const remember = (z: Tensor, index: Tensor) => {
    const rows = rowsPerCrop(z.shape[0]!, crops);
    const fits = Math.min(rows, size - offset.value);
    if (fits <= 0) return;
    const rowsOf = (bank: number) => Int32Array.from({ length: fits }, (_, i) => bank * size + offset.value + i);
    ops.noGrad(() => {
      params.crops_for_mb.forEach((crop, bank) => {
        ops.writeRows(memory, rowsOf(bank), tf.slice(z, [crop * rows, 0], [fits, width]));
      });
      ops.writeRows(indices, rowsOf(0), tf.slice(index, [0], [fits]));
    });
    offset.value += fits;
  };

  async function cluster(epoch: number): Promise<void> {
    const all = Float32Array.from(await memory.data());
    const everyIndex = await gatherIntegers(indices);
    const own = everyIndex.subarray(ranks.rank * size, (ranks.rank + 1) * size);
    const rows = own.includes(EMPTY) ? own.indexOf(EMPTY) : size; // they are filled from the front
    const found = new Int32Array(params.num_clusters.length * run.trainSamples).fill(-100);
    for (const [head, count] of params.num_clusters.entries()) {
      const start = (head % banks) * size * width;
      const values = all.subarray(start, start + rows * width);
      if (rows < count) throw new Error(`${name}: ${count} clusters of ${rows} images. Take fewer clusters`);
      const order = pick(head, epoch, rows);
      const first = new Float32Array(count * width);
      for (let k = 0; k < count; k++) first.set(values.subarray(order[k] * width, (order[k] + 1) * width), k * width);
      const shared = await ranks.broadcast(ops.noGrad(() => tf.tensor1d(first)));
      const initial = Float32Array.from(await shared.data());
      shared.dispose();
      const clusters = await sphericalKMeans(tools, { rows, width, values }, initial, params.kmeans_iters);
      set(centroids[head], () => tf.tensor2d(clusters.centroids, [count, width]));
      const padded = new Int32Array(size); // as many on every rank
      padded.set(clusters.assignments);
      const mine = ops.noGrad(() => tf.tensor1d(padded, 'int32'));
      const everyCluster = await gatherIntegers(mine);
      mine.dispose();
      everyIndex.forEach((index, i) => {
        if (index !== EMPTY) found[head * run.trainSamples + index] = everyCluster[i];
      });
    }
    set(assignments, () => tf.tensor2d(found, [params.num_clusters.length, run.trainSamples], 'int32'));
    offset.value = 0;
  }

  async function gatherIntegers(tensor: Tensor): Promise<Int32Array> {
    const all = await ranks.allGather(ops.noGrad(() => tf.clone(tensor)));
    const values = Int32Array.from(await all.data());
    all.dispose();
    return values;
  }

  async function fill(_event: HookEvent, view: RunView): Promise<void> {
    const [embeddings, index] = [refs.embeddings?.[0], refs.index?.[0]];
    if (!embeddings || !index) throw new Error(`${name} does not know where its inputs come from`);
    offset.value = 0;
    await view.pass({
      phase: 'train',
      ports: [embeddings, index],
      // as upstream: with running statistics of 0 and 1 the clusters would be of other embeddings than training has
      training: true,
      onBatch: (values) => {
        const z = ops.noGrad(() => ops.l2Normalize(values[embeddings]));
        remember(z, values[index]);
        z.dispose();
      },
    });
  }

  return {
    cluster,
    run({ embeddings, index }, step) {
      const z = ops.l2Normalize(embeddings);
      const losses = centroids.map((centers, head) => {
        const labels = ops.noGrad(() => {
          const places = tf.add(index, tf.scalar(head * run.trainSamples, 'int32'));
          return tf.gather(tf.reshape(assignments, [-1]), places);
        });
        const logits = tf.div(tf.matMul(z as never, centers as never, false, true), params.temperature);
        return ops.crossEntropy(logits, labels, { ignoreIndex: -100 });
      });
      if (step.training) remember(z, index);
      return { loss: tf.div(tf.addN(losses), losses.length) };
    },
    hooks: {
      async start(event, view) {
        if (event.progress.epoch < 0) await fill(event, view);
      },
      async phase_start({ progress }) {
        if (progress.training && progress.step === 0) await cluster(progress.epoch);
      },
    },
  };
}
