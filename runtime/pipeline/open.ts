/** From a document — a file, a shipped name, or an object built in a program — to a checked graph. */
import { isLeft } from 'fp-ts/lib/Either.js';
import type { CheckOptions } from '../../graph/check/check.ts';
import { RUN_SCHEMA } from '../../graph/check/run-settings.ts';
import type { CheckedGraph } from '../../graph/checked.ts';
import type { Owner } from '../../graph/document/override-rules.ts';
import {
  type ResolvedDocument,
  type ResolveOptions,
  resolveDocument,
  resolveObject,
} from '../../graph/document/resolve.ts';
import type { Registry } from '../../graph/registry.ts';
import type { NodeType } from '../node.ts';
import { askedPrecision, checkPrecision } from './precision.ts';
import { openRegistry } from './registry.ts';
import { WrongRequest } from './wrong-request.ts';

/** A document as an object; what a pipeline file holds. */
export interface PipelineDocument {
  readonly name?: string;
  readonly description?: string;
  readonly extends?: string | readonly string[];
  readonly knobs?: Readonly<Record<string, unknown>>;
  readonly nodes?: Readonly<Record<string, { readonly type?: string; readonly [key: string]: unknown } | null>>;
  readonly run?: Readonly<Record<string, unknown>>;
  readonly hooks?: readonly { readonly type: string; readonly [key: string]: unknown }[];
}

export interface DocumentOptions {
  /** documents to merge after the pipeline */
  readonly with?: readonly string[];
  /** files or folders with node types */
  readonly plugin?: readonly string[];
  /** node types made in this program; they win over those that ship, and cannot run in worker threads */
  readonly types?: readonly NodeType[];
}

export interface Pipeline {
  readonly resolved: ResolvedDocument;
  readonly registry: Registry;
}

const resolve = (pipeline: string | PipelineDocument, options: ResolveOptions) =>
  typeof pipeline === 'string' ? resolveDocument(pipeline, options) : resolveObject(pipeline, options);

/** Settings that may be overridden though the document does not say them. */
const RUN_SETTINGS = Object.keys(RUN_SCHEMA.properties ?? {});

/** Resolve a document with its overrides. Throws WrongRequest with all problems found. */
export async function openPipeline(
  pipeline: string | PipelineDocument,
  overrides: readonly string[],
  options: DocumentOptions,
): Promise<Pipeline> {
  const registry = await openRegistry(options.plugin, options.types);
  const params = await overriddenParams(pipeline, overrides, options, registry);
  const knownKeys = (parent: readonly string[], owner: Owner | undefined): readonly string[] => {
    if (parent[0] === 'run') return RUN_SETTINGS;
    return owner && owner.path.length === 0 ? (params.get(owner.type) ?? []) : [];
  };
  const isKnownPath = (path: readonly string[], owner: Owner | undefined): boolean => {
    if (path[0] === 'run') return path.length === 2 && RUN_SETTINGS.includes(path[1] ?? '');
    return owner !== undefined && (params.get(owner.type) ?? []).includes(owner.path[0] ?? '');
  };
  const resolved = await resolve(pipeline, { with: options.with, overrides, isKnownPath, knownKeys });
  if (isLeft(resolved)) throw new WrongRequest(resolved.left);
  return { resolved: resolved.right, registry };
}

/** Param names of the node types whose defaults the overrides set: those must be imported to be known. */
async function overriddenParams(
  pipeline: string | PipelineDocument,
  overrides: readonly string[],
  options: DocumentOptions,
  registry: Registry,
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (overrides.length === 0) return new Map();
  const types = new Set<string>();
  const isKnownPath = (_path: readonly string[], owner: Owner | undefined): boolean => {
    if (owner) types.add(owner.type);
    return true;
  };
  await resolve(pipeline, { with: options.with, overrides, isKnownPath });
  const declared = await registry.load(types);
  return new Map([...declared].map(([type, { params }]) => [type, Object.keys(params.properties)]));
}

export interface PipelineCheckOptions extends Omit<CheckOptions, 'environment'> {
  /** what it is to run on; default: what the document says. null: nothing here */
  readonly device?: string | null;
}

/** Check a resolved pipeline. Throws WrongRequest with all problems of the first layer that has any. */
export async function checkPipeline(
  { resolved, registry }: Pipeline,
  { machine, device }: PipelineCheckOptions = {},
): Promise<CheckedGraph<NodeType>> {
  const { checkDocument } = await import('../../graph/check/check.ts');
  const environment = async (graph: CheckedGraph) =>
    machine === false || device === null
      ? []
      : checkPrecision(askedPrecision(resolved, graph), device ?? graph.run.device);
  const checked = await checkDocument(resolved, registry, { machine, environment });
  if (isLeft(checked)) throw new WrongRequest(checked.left);
  return checked.right as CheckedGraph<NodeType>;
}
