/** What collators share. */
import { type Static, Type as T } from '#typebox';
import type { Slab } from '../../graph/node-type.ts';
import { batch, type Dim, type PortType, type SampleFacts, type Shape } from '../../graph/port.ts';
import type { Collator } from '../../runtime/data/collation.ts';

const sampler = T.Union([T.Literal('distributed'), T.Literal('stateful')], {
  default: 'distributed',
  description:
    'how ranks share an epoch. distributed: each takes every n-th image of one order, the last ones repeated; stateful: each keeps its own block of the dataset',
});

const options = {
  drop_last: T.Boolean({ default: false, description: 'leave out the last batch of an epoch when it is not full' }),
  shuffle: T.Optional(T.Boolean({ description: 'a new order every epoch; default true in phases that train' })),
  sampler,
};

/** Params of every collator. */
export const batchParams = {
  batch_size: T.Integer({ minimum: 1, description: 'images per batch on each rank' }),
  ...options,
};

/** Params of collators that mix pairs of images. */
export const pairParams = {
  batch_size: T.Integer({ minimum: 2, multipleOf: 2, description: 'images per batch on each rank, an even number' }),
  ...options,
};

const common = T.Object(batchParams);
export type BatchParams = Static<typeof common>;

export const batchOptions = (
  params: BatchParams,
): Pick<Collator, 'batchSize' | 'dropLast' | 'shuffle' | 'sampler'> => ({
  batchSize: params.batch_size,
  dropLast: params.drop_last,
  shuffle: params.shuffle,
  sampler: params.sampler,
});

/** Ports label, index and valid; `rows` names their rows. */
export const factPorts = (rows: string): Record<'label' | 'index' | 'valid', PortType> => ({
  label: batch.label([rows], { description: 'class index, -1 without one' }),
  index: batch.index([rows], { description: 'position in the dataset' }),
  valid: batch.tensor('int32', [rows], { description: '1, or 0 when a gray picture stands in for a bad one' }),
});

/** Slabs of ports label, index and valid. */
export function factSlabs(facts: SampleFacts, rows: Dim): Slab[] {
  const { labelSize = 1 } = facts;
  return [
    { port: 'label', element: 0, dtype: 'int32', shape: labelSize === 1 ? [rows] : [rows, [labelSize]] },
    { port: 'index', element: 0, dtype: 'int32', shape: [rows] },
    { port: 'valid', element: 0, dtype: 'int32', shape: [rows] },
  ];
}

/** The slab of views of one size. */
export function viewSlab(port: string, element: number, rows: Dim, view: Shape): Slab {
  return { port, element, dtype: 'float32', shape: [rows, ...view] };
}

export const sameShape = (a: Shape, b: Shape): boolean => JSON.stringify(a) === JSON.stringify(b);
