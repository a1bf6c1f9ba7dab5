/**
 * The part of a node type that is known without data or tensors: what the checks, the schema, the help and the drawing
 * read. runtime/node.ts adds what runs.
 */
import { type Static, type TObject, type TSchema, Type } from '#typebox';
import type { ModelSpec } from './model/layers.ts';
import type { PortType, PortValue, SampleFacts, Shape } from './port.ts';

export type Ports = Readonly<Record<string, PortType>>;

/** A param that is itself a node of another kind, written inline: {"schedule": "cosine", …}. */
export interface NestedNode {
  readonly [key: string]: unknown;
}

/**
 * Schema of an inline node: an object whose key `kind` names the type ("schedule": "cosine" is schedule/cosine) and whose
 * other keys are that type's params. With `number: true` a bare number is accepted too and means <kind>/constant;
 * `minimum` holds for that number only.
 */
export const nested = (
  kind: string,
  options: { number?: boolean; minimum?: number; default?: unknown; description: string },
) => {
  const { number, ...rest } = options;
  return Type.Unsafe<number | NestedNode>({ ...rest, 'x-node': kind, 'x-number': number === true });
};

/** A mistake found by a node's own checks; the checks add file, line and column. */
export interface NodeProblem {
  /** port or param the problem is about */
  readonly at?: string;
  readonly message: string;
  readonly cure?: string;
}

export type Report = (problem: NodeProblem) => void;

/** For `infer` and `model`. */
export interface StaticContext<P> {
  readonly name: string;
  readonly params: P;
  /** inferred values of the connected inputs; an input with several references has several */
  readonly inputs: Readonly<Record<string, readonly PortValue[]>>;
  /** symbols of this node's ports that are bound: {V: 8, N: 64, D: 128}; sizes unknown before the run are absent */
  readonly symbols: Readonly<Record<string, number>>;
  /** report a mistake; inference goes on with what it can */
  readonly problem: Report;
}

/** For `derives`. */
export interface DerivedContext<P> {
  readonly params: P;
  /** as in StaticContext */
  readonly symbols: Readonly<Record<string, number>>;
  /** images that the collator of its batches takes at a time, on each rank */
  readonly batchSize?: number;
  /** processes that train together */
  readonly ranks: number;
}

/** One tensor of a batch, as a collator lays it out. */
export interface Slab {
  /** output port */
  readonly port: string;
  /** position in the port's list; 0 for a single value */
  readonly element: number;
  readonly dtype: 'float32' | 'int32' | 'uint8';
  /** first dimension: rows of a full batch, e.g. [[2, 64], [224], [224], [3]] */
  readonly shape: Shape;
  /** views may be smaller than a row: they lie in its upper left corner, and the rest is 0 */
  readonly padded?: boolean;
}

type P<S extends TSchema> = Static<S>;

export interface Declared<S extends TObject> {
  /** stable id, "<kind>/<name>" */
  readonly type: string;
  /** one sentence: what it does; paper with arXiv id where there is one */
  readonly description: string;
  /** names in VISSL, torchvision or lightly */
  readonly aliases?: readonly string[];
  /** further names, each with the params that make this type what bears the name elsewhere; a document may change them */
  readonly presets?: Readonly<Record<string, Partial<P<S>>>>;
  readonly params: S;
  readonly inputs?: Ports | ((params: P<S>) => Ports);
  readonly outputs?: Ports | ((params: P<S>) => Ports);
  /** kernels of the tensor API that it needs besides the usual ones, by tfjs's names: a backend without them is refused */
  readonly kernels?: readonly string[];
  /** params worth showing in a drawing, in order */
  readonly show?: readonly string[];
  /** hooks that come with this node; they run before the document's own */
  readonly brings?: (context: {
    name: string;
    params: P<S>;
    inputs: Readonly<Record<string, readonly string[]>>;
  }) => readonly { type: string; [param: string]: unknown }[];
  /** inferred outputs where they differ from the declared outputs with bound symbols put in */
  readonly infer?: (context: StaticContext<P<S>>) => Readonly<Record<string, Partial<PortValue>>>;
  /** numbers that follow from the graph and the ranks, which elsewhere are settings of one's own; for people to read */
  readonly derives?: (context: DerivedContext<P<S>>) => Readonly<Record<string, number>>;
  /** looks at the machine (files, folders); runs last, when everything else is right */
  readonly check?: (context: {
    params: P<S>;
    name: string;
    /** the check of a dataset written inline */
    nested?(dataset: NestedNode): Promise<readonly NodeProblem[]>;
  }) => Promise<readonly NodeProblem[]> | readonly NodeProblem[];
}

export interface DatasetStatics<S extends TObject> {
  readonly role: 'dataset';
  /** what a sample holds, from the params alone; `inner` tells it of a dataset written inline */
  readonly facts: (params: P<S>, inner: (dataset: NestedNode) => SampleFacts) => SampleFacts;
}

export interface TransformStatics<S extends TObject> {
  readonly role: 'transform';
  /** what the transform makes of a sample; `inner` says what a transform written inline makes of one */
  readonly facts: (
    facts: SampleFacts,
    params: P<S>,
    problem: Report,
    inner: (transform: NestedNode, facts: SampleFacts) => SampleFacts,
  ) => SampleFacts;
}

export interface CollatorStatics<S extends TObject> {
  readonly role: 'collator';
  /** tensors of a full batch of batch_size images, ports label, index and valid included */
  readonly slabs: (facts: SampleFacts, params: P<S>, problem: Report) => readonly Slab[];
}

export interface ModelStatics<S extends TObject> {
  readonly role: 'model';
  /** true for heads: VISSL's head optimizer settings apply */
  readonly head?: boolean;
  /** undefined when the inputs are not known well enough (already reported) */
  readonly model: (context: StaticContext<P<S>>) => ModelSpec | undefined;
}

/**
 * Roles: what a node does in a run.
 * dataset, transform, collator run in workers; model and compute let gradients flow; target runs after `forward` without
 * gradient; loss after the targets; optimizer ends a training step; bank and meter collect over a phase; artifact and
 * evaluator work on once-values; hook observes; step orders the stages of a batch; schedule is a number over time.
 */
export type Role =
  | 'dataset'
  | 'transform'
  | 'collator'
  | 'model'
  | 'compute'
  | 'target'
  | 'loss'
  | 'optimizer'
  | 'bank'
  | 'meter'
  | 'artifact'
  | 'evaluator'
  | 'hook'
  | 'step'
  | 'schedule';

/** A node type as the language sees it, params not known statically. */
export type NodeDeclaration = Declared<any> &
  (
    | DatasetStatics<any>
    | TransformStatics<any>
    | CollatorStatics<any>
    | ModelStatics<any>
    | { readonly role: Exclude<Role, 'dataset' | 'transform' | 'collator' | 'model'> }
  );

/** All names of a type: its id, its aliases, its presets. */
export const namesOf = ({ type, aliases = [], presets = {} }: NodeDeclaration): readonly string[] => [
  type,
  ...aliases,
  ...Object.keys(presets),
];
