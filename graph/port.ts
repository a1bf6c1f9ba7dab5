/**
 * Port types. A port says how often it carries a value (rate), what the value is (kind), its dtype and symbolic shape.
 * Dimensions: a number, a symbol ("N"), or a product of symbols ("V*N"). A symbol means the same size in all ports of
 * one node; the checks bind symbols along the edges.
 */

/** How often a port carries a value. */
export type Rate = 'once' | 'sample' | 'batch' | 'phase';

export type Kind =
  /** a record of views, label and index, before collation */
  | 'sample'
  /** images as tensors */
  | 'image'
  | 'tensor'
  | 'label'
  | 'index'
  | 'scalar'
  /** weight tensors of a model, by reference */
  | 'weights'
  /** features with labels and indices, kept as an artifact */
  | 'bank'
  /** named numbers for metrics.json */
  | 'metrics'
  | 'table';

export type DType = 'float32' | 'int32' | 'uint8' | 'bool';

/** 64, "N", "V*N" */
export type DimPattern = number | string;

export interface PortType {
  readonly rate: Rate;
  readonly kind: Kind;
  readonly dtype?: DType;
  /** absent: any shape */
  readonly shape?: readonly DimPattern[];
  /** true: a list of values of this type (crops by size, scores by head); shapes of elements may differ in any symbol that is bound nowhere else */
  readonly list?: boolean;
  /** an input that may stay unconnected */
  readonly optional?: boolean;
  /** an input that takes several references, in order */
  readonly many?: boolean;
  readonly description?: string;
}

type Options = Pick<PortType, 'list' | 'optional' | 'many' | 'description'>;

const make = (rate: Rate) => ({
  tensor: (dtype: DType, shape?: readonly DimPattern[], options?: Options): PortType => ({
    rate,
    kind: 'tensor',
    dtype,
    shape,
    ...options,
  }),
  image: (shape?: readonly DimPattern[], options?: Options): PortType => ({
    rate,
    kind: 'image',
    dtype: 'float32',
    shape,
    ...options,
  }),
  /** class index, or -1 */
  label: (shape: readonly DimPattern[] = ['N'], options?: Options): PortType => ({
    rate,
    kind: 'label',
    dtype: 'int32',
    shape,
    ...options,
  }),
  /** position in the dataset */
  index: (shape: readonly DimPattern[] = ['N'], options?: Options): PortType => ({
    rate,
    kind: 'index',
    dtype: 'int32',
    shape,
    ...options,
  }),
  scalar: (dtype: DType = 'float32', options?: Options): PortType => ({
    rate,
    kind: 'scalar',
    dtype,
    shape: [],
    ...options,
  }),
  weights: (shape?: readonly DimPattern[], options?: Options): PortType => ({
    rate,
    kind: 'weights',
    dtype: 'float32',
    shape,
    ...options,
  }),
  bank: (shape?: readonly DimPattern[], options?: Options): PortType => ({
    rate,
    kind: 'bank',
    dtype: 'float32',
    shape,
    ...options,
  }),
  metrics: (options?: Options): PortType => ({ rate, kind: 'metrics', ...options }),
  table: (options?: Options): PortType => ({ rate, kind: 'table', ...options }),
  sample: (options?: Options): PortType => ({ rate, kind: 'sample', ...options }),
});

export const once = make('once');
export const sample = make('sample');
export const batch = make('batch');
export const phase = make('phase');

/**
 * An inferred dimension: factors whose product is the size. [8, 64] is V*N with 8 views of 64 images; a string factor
 * is a size nobody knows before the run (the number of images in a folder).
 */
export type Dim = readonly (number | string)[];
export type Shape = readonly Dim[];

/** What the checks know about the value on an edge. */
export interface PortValue {
  readonly rate: Rate;
  readonly kind: Kind;
  readonly dtype?: DType;
  /** one per element of a list; a single value has one; absent when unknown */
  readonly shapes?: readonly Shape[];
  readonly list: boolean;
  /** kind sample: what a sample holds */
  readonly sample?: SampleFacts;
}

/** What is known about a sample before any is read. */
export interface SampleFacts {
  /** one per view: [H, W, C]; string factors where a file decides */
  readonly views: readonly Shape[];
  readonly dtype: 'uint8' | 'float32';
  /** has a label: classes of a folder, labels of a file, or made by a transform */
  readonly labelled: boolean;
  /** numbers in a label: absent or 1 for a class index, more for multi-label */
  readonly labelSize?: number;
  /** rows and columns of the mask of each view, where transform/masked_image_modeling made one */
  readonly masks?: readonly (Shape | undefined)[];
  /** number of classes when known without reading data */
  readonly classes?: number;
  /** number of samples when known without reading data */
  readonly length?: number;
}
