/** Pipelines built in a program: the same document as a file holds, with params typed by the node types at hand. */
import type { Static, TObject } from '#typebox';
import type { Wire } from './document/node-form.ts';

/** A node of a pipeline being built; stands for its primary output where a reference is wanted. */
export interface NodeHandle {
  readonly name: string;
  /** reference to an output: "trunk.res5avg" */
  port(name: string): string;
}

type Source = string | NodeHandle;

/** Wire of an input: one output, several in order, or either by phase. */
export type Connection = Source | readonly Source[] | { readonly [phase: string]: Source | readonly Source[] };

export interface Wiring {
  /** what the first input is connected to */
  readonly from?: Connection;
  readonly inputs?: Readonly<Record<string, Connection>>;
  readonly phase?: string;
  readonly stream?: string;
}

/** A node type with typed params, as defineNode returns it. */
interface Typed<S extends TObject> {
  readonly type: string;
  readonly params: S;
}

type Params<S extends TObject> = Partial<Static<S>>;
type Untyped = Readonly<Record<string, unknown>>;

/** What `document` gives: plain data, ready to be opened, checked or written to a file. */
export interface BuiltDocument {
  readonly name: string;
  readonly nodes: Readonly<Record<string, { readonly type: string; readonly [key: string]: unknown }>>;
  readonly run: Untyped;
  readonly hooks: readonly { readonly type: string; readonly [key: string]: unknown }[];
}

export interface PipelineBuilder {
  /** Adds a node by type id, or by a node type, whose params are then typed. Throws for a name that is taken. */
  node<S extends TObject>(name: string, type: Typed<S>, said?: Params<S> & Wiring): NodeHandle;
  node(name: string, type: string, said?: Untyped & Wiring): NodeHandle;
  hook<S extends TObject>(type: Typed<S>, params?: Params<S>): PipelineBuilder;
  hook(type: string, params?: Untyped): PipelineBuilder;
  document(): BuiltDocument;
}

/**
 * @example
 * const p = pipeline('mine', { epochs: 5 });
 * const images = p.node('images', 'dataset/disk_folder', { path: './images' });
 * const batch = p.node('batch', 'collator/default', { from: images, batch_size: 32 });
 * p.node('trunk', 'trunk/resnet', { inputs: { images: batch.port('images') }, depth: 18 });
 */
export function pipeline(name: string, run: Untyped = {}): PipelineBuilder {
  const nodes: Record<string, { type: string }> = {};
  const hooks: { type: string }[] = [];
  const idOf = (type: string | Typed<TObject>) => (typeof type === 'string' ? type : type.type);
  const builder: PipelineBuilder = {
    node(name: string, type: string | Typed<TObject>, { from, inputs, ...rest }: Untyped & Wiring = {}): NodeHandle {
      if (Object.hasOwn(nodes, name)) throw new Error(`the pipeline already has a node "${name}"`);
      const wires = Object.entries(inputs ?? {}).map(([port, wire]) => [port, reference(wire)]);
      nodes[name] = {
        type: idOf(type),
        ...(from === undefined ? {} : { from: reference(from) }),
        ...(wires.length > 0 ? { inputs: Object.fromEntries(wires) } : {}),
        ...rest,
      };
      return { name, port: (port) => `${name}.${port}` };
    },
    hook(type: string | Typed<TObject>, params: Untyped = {}): PipelineBuilder {
      hooks.push({ type: idOf(type), ...params });
      return builder;
    },
    document: () => structuredClone({ name, nodes, run, hooks }),
  };
  return builder;
}

function reference(wire: Connection): Wire {
  if (typeof wire === 'string') return wire;
  if (Array.isArray(wire)) return wire.map(one);
  if (isHandle(wire)) return wire.name;
  return Object.fromEntries(
    Object.entries(wire as Readonly<Record<string, Source | readonly Source[]>>).map(([phase, sources]) => [
      phase,
      Array.isArray(sources) ? sources.map(one) : one(sources as Source),
    ]),
  );
}

function one(source: Source): string {
  return typeof source === 'string' ? source : source.name;
}

function isHandle(wire: Connection): wire is NodeHandle {
  return typeof (wire as NodeHandle).port === 'function';
}
