import { access } from 'node:fs/promises';
import { type AliasTable, aliasTable, drawPlace } from '../../runtime/alias-table.ts';
import { batch, type ComputeContext, defineNode, type NodeInstance, T } from '../../runtime/node.ts';
import type { Random } from '../../runtime/random.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';

interface Params {
  readonly loss_type: 'nce' | 'cross_entropy';
  readonly norm_embedding: boolean;
  readonly temperature: number;
  readonly loss_weights: readonly number[];
  readonly norm_constant: number;
  readonly update_mem_with_emb_index: number;
  readonly num_negatives: number;
  readonly negative_weights?: string;
  readonly ignore_index: number;
  readonly memory: { readonly momentum: number; readonly norm_init: boolean; readonly update_mem_on_forward: boolean };
}

/** float32 machine epsilon, as in the reference code */
const EPSILON = 2 ** -23;

/**
 * Instance discrimination against a memory of one embedding per image: NPID (Wu et al. 2018, arXiv:1805.01978), NPID++
 * and PIRL (Misra and van der Maaten 2020, arXiv:1912.01991). The positive is the image's own entry; negatives are drawn
 * uniformly, or as `negative_weights` says, with replacement, from all entries; the noise of the contrastive estimate has
 * the same distribution. PIRL has the outputs patches and images, weights 0.5 each, and
 * `update_mem_with_emb_index` 1: the memory holds images alone.
 */
export default defineNode({
  type: 'loss/nce_with_memory',
  description: 'Noise-contrastive loss against a memory bank (NPID, arXiv:1805.01978; PIRL, arXiv:1912.01991).',
  aliases: ['nce_loss_with_memory'],
  role: 'loss',
  params: T.Object({
    loss_type: T.Union([T.Literal('nce'), T.Literal('cross_entropy')], {
      default: 'nce',
      description: 'noise-contrastive estimation, or softmax over positive and negatives',
    }),
    norm_embedding: T.Boolean({ default: true, description: 'l2-normalise the outputs' }),
    temperature: T.Number({ default: 0.07, exclusiveMinimum: 0, description: 'scores are divided by it' }),
    loss_weights: T.Array(T.Number(), { default: [1], minItems: 1, description: 'weight of each output' }),
    norm_constant: T.Number({
      default: -1,
      description: 'constant that exp(score) is divided by (nce); below 0: from the first batch',
    }),
    update_mem_with_emb_index: T.Integer({
      default: -100,
      description: 'output that the memory is updated with; below 0: each one, with update_mem_on_forward',
    }),
    num_negatives: T.Integer({ default: 16000, minimum: 1, description: 'negatives per image' }),
    negative_weights: T.Optional(
      T.String({
        description:
          '.npy file with a number per training image: how often it is drawn as negative; default: all alike',
      }),
    ),
    ignore_index: T.Integer({ default: -1, description: 'index of rows that do not count' }),
    memory: T.Object(
      {
        momentum: T.Number({ default: 0.5, minimum: 0, maximum: 1, description: 'share of the old entry kept' }),
        norm_init: T.Boolean({ default: true, description: 'entries begin with length 1' }),
        update_mem_on_forward: T.Boolean({ default: true, description: 'update with each output' }),
      },
      { default: {}, description: 'the memory' },
    ),
  }),
  inputs: {
    outputs: batch.tensor('float32', ['N', 'D'], { many: true, description: 'embeddings, one or several per image' }),
    index: batch.index(['N'], { description: 'position in the dataset' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['loss_type', 'num_negatives', 'temperature'],
  check: async ({ params: { negative_weights: file } }) => {
    if (file === undefined) return [];
    const missing = await access(file).then(
      () => false,
      () => true,
    );
    return missing ? [{ at: 'negative_weights', message: `there is no file ${file}` }] : [];
  },
  create: (context) => {
    const samples = context.run.trainSamples;
    const { num_negatives, negative_weights } = context.params;
    /** Each image from a stream of its own: its negatives are those of no other, however many ranks share the batch. */
    const drawEach =
      (place: (random: Random) => number) =>
      (output: number, images: readonly number[]): Int32Array => {
        const drawn = new Int32Array(images.length * num_negatives);
        images.forEach((image, row) => {
          const random = context.random.fork('negatives', output, image);
          for (let j = 0; j < num_negatives; j++) drawn[row * num_negatives + j] = place(random);
        });
        return drawn;
      };
    if (negative_weights === undefined) {
      const draw = drawEach((random) => random.integer(samples));
      return createNce(context, (output, _positives, images) => draw(output, images));
    }
    let read: Promise<Weighted> | undefined;
    const weighted = (): Promise<Weighted> => {
      read ??= readWeights(negative_weights, samples);
      return read;
    };
    return createNce(
      context,
      async (output, _positives, images) => {
        const { table } = await weighted();
        return drawEach((random) => drawPlace(table, random))(output, images);
      },
      async () => (await weighted()).shares,
    );
  },
});

interface Weighted {
  readonly table: AliasTable;
  /** probability of each entry */
  readonly shares: Float32Array;
}

async function readWeights(file: string, samples: number): Promise<Weighted> {
  const { readNpyNumbers } = await import('../../runtime/data/npy-values.ts');
  const weights = await readNpyNumbers(file);
  if (weights.length !== samples) throw new Error(`${file} has ${weights.length} weights for ${samples} images`);
  const sum = weights.reduce((a, b) => a + b, 0);
  return { table: aliasTable(weights), shares: Float32Array.from(weights, (weight) => weight / sum) };
}

/** Entries of the negatives, [n, num_negatives], of output number `output`; `images` are places in the batch of all ranks. */
export type DrawNegatives = (
  output: number,
  positives: readonly number[],
  images: readonly number[],
) => ArrayLike<number> | Promise<ArrayLike<number>>;

/** @param shares how probable each entry is as negative; default: all alike */
export function createNce(
  context: ComputeContext<Params>,
  draw: DrawNegatives,
  shares?: () => Promise<Float32Array>,
): NodeInstance {
  const { params, symbols, tf, ops, ranks, state, run, name } = context;
  const { loss_type, num_negatives: negatives, loss_weights } = params;
  const width = symbols.D;
  const samples = run.trainSamples;
  if (width === undefined) throw new Error(`${name} cannot tell the width of its outputs`);
  if (!(samples > 0)) throw new Error(`${name} needs to know the number of training images`);
  if (!params.memory.update_mem_on_forward && params.update_mem_with_emb_index < 0) {
    throw new Error(`${name} never updates its memory. Set update_mem_with_emb_index to an output, from 0 on`);
  }
  const memory = state.tensor('memory', [samples, width], 'float32', (random) => {
    const bound = 1 / Math.sqrt(width / 3);
    const values = new Float32Array(samples * width);
    for (let i = 0; i < values.length; i++) values[i] = random.uniform(-bound, bound);
    return params.memory.norm_init ? unitRows(values, width) : values;
  });
  const normConstant = state.number('norm_constant', Math.fround(params.norm_constant));
  const shared = state.number('memory_is_shared', ranks.size === 1 ? 1 : 0);
  const temperature = Math.fround(params.temperature);

  /** Entries are the same on all ranks from the first step on. */
  const share = async () => {
    if (shared.value === 1) return;
    const mean = await ranks.allReduce(
      ops.noGrad(() => tf.clone(memory)),
      'mean',
    );
    memory.assign(mean as never);
    mean.dispose();
    shared.value = 1;
  };

  /** [n, 1 + negatives], the image's own entry first */
  const entriesOf = async (
    positives: readonly number[],
    images: readonly number[],
    output: number,
  ): Promise<Int32Array> => {
    const drawn = await draw(output, positives, images);
    const columns = negatives + 1;
    const entries = new Int32Array(positives.length * columns);
    positives.forEach((positive, row) => {
      entries[row * columns] = positive;
      for (let j = 0; j < negatives; j++) entries[row * columns + 1 + j] = drawn[row * negatives + j];
    });
    return entries;
  };

  const scores = (v: Tensor, entries: Int32Array): Tensor => {
    const [count] = v.shape as [number];
    const rows = ops.noGrad(() =>
      tf.reshape(tf.gather(memory, tf.tensor1d(entries, 'int32')), [count, negatives + 1, width]),
    );
    const products = tf.matMul(rows as never, tf.reshape(v, [count, width, 1]) as never);
    return tf.div(tf.reshape(products, [count, negatives + 1]), temperature);
  };

  /** expected draws of each entry among the negatives: [n, 1 + negatives], or one number for all */
  const noiseOf = async (entries: Int32Array): Promise<Tensor | number> => {
    if (!shares) return negatives / samples;
    const all = await shares();
    const values = Float32Array.from(entries, (entry) => negatives * all[entry]);
    return ops.noGrad(() => tf.tensor2d(values, [entries.length / (negatives + 1), negatives + 1]));
  };

  const padded = (noise: Tensor | number) => (typeof noise === 'number' ? noise + EPSILON : tf.add(noise, EPSILON));

  const nce = async (out: Tensor, noise: Tensor | number): Promise<Tensor> => {
    const weights = tf.exp(out);
    if (normConstant.value < 0) {
      const mean = await ranks.allReduce(
        ops.noGrad(() => tf.mean(weights)),
        'mean',
      );
      normConstant.value = Math.fround((await mean.data())[0] * samples);
      mean.dispose();
    }
    const p = tf.div(weights, normConstant.value);
    const [rows, columns] = p.shape;
    const part = (x: Tensor | number, from: number, count: number) =>
      typeof x === 'number' ? x : tf.slice(x, [0, from], [rows, count]);
    const sides = (from: number, count: number) => [part(p, from, count), part(noise, from, count)] as const;
    const [positive, itsNoise] = sides(0, 1);
    const [others, theirNoise] = sides(1, columns! - 1);
    const data = tf.sum(tf.log(tf.div(positive, tf.add(positive, padded(itsNoise)))));
    const noises = tf.sum(tf.log(tf.div(theirNoise, tf.add(others, padded(theirNoise)))));
    return tf.div(tf.neg(tf.add(data, noises)), rows);
  };

  /**
   * Entries of all ranks' images move towards their embeddings; of two for one entry the last counts. Rows that do not
   * count are gathered too: every rank must give as many.
   */
  const update = async (v: Tensor, index: readonly number[]) => {
    const mine = ops.noGrad(() => tf.tensor1d(Int32Array.from(index), 'int32'));
    const [embeddings, indices] = [await ranks.allGather(ops.noGrad(() => tf.clone(v))), await ranks.allGather(mine)];
    const rowOf = new Map(Array.from(await indices.data(), (entry, row) => [entry, row]));
    rowOf.delete(params.ignore_index);
    const entries = Int32Array.from(rowOf.keys());
    const keep = params.memory.momentum;
    ops.noGrad(() => {
      const latest = tf.gather(embeddings, tf.tensor1d([...rowOf.values()], 'int32'));
      const old = tf.gather(memory, tf.tensor1d(entries, 'int32'));
      ops.writeRows(memory, entries, ops.l2Normalize(tf.add(tf.mul(old, keep), tf.mul(latest, 1 - keep))));
    });
    tf.dispose([mine, embeddings, indices]);
  };

  return {
    async run(inputs, step) {
      const outputs = [inputs.outputs].flat() as Tensor[];
      if (outputs.length !== loss_weights.length) {
        throw new Error(
          `${name}: ${loss_weights.length} loss_weights for ${outputs.length} outputs. Give one for each`,
        );
      }
      await share();
      const index = Array.from((await (inputs.index as Tensor).data()) as Int32Array);
      const largest = index.reduce((a, b) => Math.max(a, b), -1);
      if (largest >= samples) throw new Error(`${name}: the index ${largest} lies outside the memory of ${samples}`);
      const rows = index.flatMap((value, row) => (value === params.ignore_index ? [] : [row]));
      const positives = rows.map((row) => index[row]);
      const images = rows.map((row) => ranks.rank * index.length + row);
      const rowTensor = ops.noGrad(() => tf.tensor1d(rows, 'int32'));
      const losses: Tensor[] = [];
      for (const [number, output] of outputs.entries()) {
        const all = params.norm_embedding ? ops.l2Normalize(output) : output;
        const v = rows.length === index.length ? all : tf.gather(all, rowTensor);
        const entries = await entriesOf(positives, images, number);
        const out = scores(v, entries);
        const labels = ops.noGrad(() => tf.zeros([positives.length], 'int32'));
        const loss = loss_type === 'nce' ? await nce(out, await noiseOf(entries)) : ops.crossEntropy(out, labels);
        losses.push(tf.mul(loss, loss_weights[number]));
        const updates = params.memory.update_mem_on_forward || number === params.update_mem_with_emb_index;
        if (step.training && updates) await update(all, index);
      }
      return { loss: tf.addN(losses) };
    },
  };
}

function unitRows(values: Float32Array, width: number): Float32Array {
  for (let start = 0; start < values.length; start += width) {
    const row = values.subarray(start, start + width);
    const length = Math.max(Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)), 1e-12);
    row.forEach((x, i) => {
      row[i] = x / length;
    });
  }
  return values;
}
