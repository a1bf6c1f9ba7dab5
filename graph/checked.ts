/** A graph that passed the checks: what the plan, the drawing and `pipe show` read. */
import type { ModelSummary } from './model/summary.ts';
import type { NodeDeclaration } from './node-type.ts';
import type { PortType, PortValue, Rate } from './port.ts';
import type { Problem } from './problem.ts';

/** One end of an edge: "trunk.res5avg". */
export interface PortRef {
  readonly node: string;
  readonly port: string;
}

export interface CheckedInput {
  readonly port: string;
  readonly type: PortType;
  /** source refs by phase; '*' when the same in all phases. Several refs where the port takes many. */
  readonly sources: Readonly<Record<string, readonly PortRef[]>>;
}

export interface CheckedNode<D extends NodeDeclaration = NodeDeclaration> {
  readonly name: string;
  readonly declaration: D;
  /** validated, defaults put in */
  readonly params: Readonly<Record<string, unknown>>;
  readonly inputs: readonly CheckedInput[];
  /** inferred, by port; by phase where phases differ ('*' otherwise) */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, PortValue>>>>;
  /** inferred values of inputs, by phase ('*' otherwise), by port */
  readonly inputValues: Readonly<Record<string, Readonly<Record<string, readonly PortValue[]>>>>;
  /** bound symbols by phase ('*' otherwise) */
  readonly symbols: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** phases this node runs in; empty for nodes that belong to no phase (datasets, transforms, once-nodes) */
  readonly phases: readonly string[];
  /** rate at which the node runs */
  readonly rate: Rate;
  /** as the document says, or '' */
  readonly stream: string;
  /** for models */
  readonly model?: ModelSummary;
}

export interface CheckedHook<D extends NodeDeclaration = NodeDeclaration> {
  readonly name: string;
  readonly declaration: D;
  readonly params: Readonly<Record<string, unknown>>;
  /** node that brought it; absent for the document's own */
  readonly from?: string;
}

export interface RunSettings {
  readonly epochs: number;
  /** phases of one epoch, in order; those with an optimizer train */
  readonly phases: readonly string[];
  /** phases that do not train run after every so many epochs, and after the last; default 1 */
  readonly test_every?: number;
  /** when evaluators of the trained model run: "start", "end", or a number n: after every n epochs */
  readonly evaluate: readonly ('start' | 'end' | number)[];
  readonly seed: number;
  readonly precision: 'float32' | 'bfloat16' | 'float16';
  readonly device: string;
  /** worker threads; -1: as many as cores allow */
  readonly workers: number;
  /** batch norm in training takes the batches of all ranks, or of groups of ranks, for one */
  readonly sync_batch_norm: boolean | { readonly group_size: number };
}

export interface CheckedGraph<D extends NodeDeclaration = NodeDeclaration> {
  readonly name: string;
  /** in topological order, ties in document order */
  readonly nodes: readonly CheckedNode<D>[];
  readonly byName: ReadonlyMap<string, CheckedNode<D>>;
  /** in the order they run: brought by nodes first, then the document's */
  readonly hooks: readonly CheckedHook<D>[];
  /** what happens with a batch, where the document says it */
  readonly step?: CheckedHook<D>;
  readonly run: RunSettings;
  /** not wrong, but worth saying: a model that nobody reads */
  readonly notes: readonly Problem[];
  /** the resolved document, plain JSON */
  readonly document: unknown;
}
