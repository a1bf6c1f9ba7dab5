/** Reference samples through the real loader and a collator node, as in a run. */
import type { SampleFacts } from '../../graph/port.ts';
import { createLoader } from '../../runtime/data/loader.ts';
import type { BatchTensor } from '../../runtime/data/slabs.ts';
import { defineNode, type NodeType, T } from '../../runtime/node.ts';
import { paramsOf } from '../support/node-context.ts';
import { floats, type OracleTensor } from './oracle-file.ts';

export interface ReferenceSample {
  /** CHW per view */
  readonly views: readonly OracleTensor[];
  readonly label: number | readonly number[];
  readonly valid: boolean;
}

export type Collated = Readonly<Record<string, BatchTensor | readonly BatchTensor[]>>;

/** One batch of all samples in order. A sample that is not valid fails to be read, and its views are made all the same. */
export async function collate(
  collator: NodeType,
  samples: readonly ReferenceSample[],
  params: Readonly<Record<string, unknown>> = {},
): Promise<Collated> {
  const [{ views, label }] = samples;
  const facts: SampleFacts = {
    views: views.map(({ shape: [c, h, w] }) => [[h], [w], [c]]),
    dtype: 'float32',
    labelled: true,
    ...(typeof label === 'number' ? {} : { labelSize: label.length }),
  };
  const dataset = defineNode({
    type: 'dataset/reference',
    description: 'The samples of a case.',
    role: 'dataset',
    params: T.Object({}),
    facts: () => ({ ...facts, views: [[[1], [1], [3]]], dtype: 'uint8' }),
    scan: () => ({ length: samples.length, data: null }),
    open: () => ({
      length: samples.length,
      read: (index) => {
        const { label, valid } = samples[index];
        if (!valid) return { source: { file: '' }, label };
        return { source: { pixels: new Uint8Array(3), width: 1, height: 1, channels: 3 }, label };
      },
    }),
  });
  const transform = defineNode({
    type: 'transform/reference',
    description: 'The views of a case.',
    role: 'transform',
    params: T.Object({}),
    facts: () => facts,
    create: ({ pixels }) => ({
      sample(sample) {
        sample.views = samples[sample.index].views.map((tensor) => {
          const [channels, height, width] = tensor.shape;
          const ptr = pixels.arena.alloc(4 * channels * height * width);
          const packed = new Float32Array(pixels.arena.memory.buffer, ptr, channels * height * width);
          floats(tensor).forEach((value, i) => {
            const place = i % (height * width);
            packed[place * channels + Math.floor(i / (height * width))] = value;
          });
          return { ptr, width, height, channels, dtype: 'float32', layout: 'packed' };
        });
      },
    }),
  });
  const use = (type: NodeType, given = {}) => ({ name: type.type, type: type.type, params: paramsOf(type, given) });
  const types = [dataset, transform, collator] as NodeType[];
  const loader = createLoader({
    name: 'batch',
    dataset: use(dataset as NodeType),
    index: { length: samples.length, data: null },
    transforms: [use(transform as NodeType)],
    collator: use(collator, { ...params, batch_size: samples.length, shuffle: false }),
    types: new Map(types.map((declaration) => [declaration.type, { declaration }])),
    training: true,
    seed: 0,
    workers: 0,
  });
  try {
    for await (const batch of loader.batches(0)) {
      const copy = (tensor: BatchTensor): BatchTensor => ({ ...tensor, data: tensor.data.slice() });
      const entries = Object.entries(batch.arrays).map(([port, value]) => [
        port,
        Array.isArray(value) ? value.map(copy) : copy(value as BatchTensor),
      ]);
      batch.release();
      return Object.fromEntries(entries);
    }
  } finally {
    await loader.dispose();
  }
  throw new Error('the loader gave no batch');
}

/** NHWC rows of a batch tensor in NCHW order. */
export function inNchw({ data, shape: [n, h, w, c] }: BatchTensor): { shape: number[]; data: Float32Array } {
  const ordered = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const channel = i % c;
    const place = Math.floor(i / c) % (h * w);
    const row = Math.floor(i / (c * h * w));
    ordered[(row * c + channel) * h * w + place] = data[i];
  }
  return { shape: [n, c, h, w], data: ordered };
}
