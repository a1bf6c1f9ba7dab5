/** The schema layer for nodes: types, params, ports. */
import type { NodeValue } from '../document/node-form.ts';
import type { ResolvedDocument } from '../document/resolve.ts';
import type { NodeDeclaration, Ports, Role } from '../node-type.ts';
import type { ParamProblem } from '../params/explain.ts';
import { inlineType, type Params, readParams, type Types } from '../params/read.ts';
import type { Registry } from '../registry.ts';
import type { Draft } from './draft.ts';
import type { Report } from './report.ts';

/** Imports every node type that the document names, inline nodes included. Keys are type ids. */
export async function loadTypes(document: ResolvedDocument, registry: Registry): Promise<Types> {
  const names = new Set<string>();
  const kinds = new Set(registry.list().map(({ type }) => type.slice(0, type.indexOf('/'))));
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      if (typeof item !== 'string') look(item);
      else if (key === 'type') names.add(item);
      else if (kinds.has(key)) names.add(inlineType(key, item, registry) ?? '');
    }
  };
  look(document.nodes);
  look(document.hooks);
  look(document.run);
  // a bare number where a schedule may stand is the constant one
  const loaded = await registry.load(names);
  return new Map([...loaded.values()].map((declared) => [declared.type, declared]));
}

/** The declaration of a type or alias; reports one that does not exist. */
export function declarationOf(
  type: string,
  path: readonly (string | number)[],
  where: string,
  types: Types,
  registry: Registry,
  report: Report,
): NodeDeclaration | undefined {
  const entry = registry.find(type);
  if (entry) return types.get(entry.type);
  report.add({
    layer: 'schema',
    path: [...path, 'type'],
    where,
    message: `"${type}" is not a node type`,
    cure: registry.suggest(type),
  });
  return undefined;
}

/** Reports problems of params that stand at `path` in the document. */
export function reportParams(
  problems: readonly ParamProblem[],
  path: readonly (string | number)[],
  where: string,
  report: Report,
): void {
  for (const { path: inner, key, message, cure } of problems) {
    const shown = key ? inner.slice(0, -1) : inner;
    report.add({
      layer: 'schema',
      path: [...path, ...inner],
      key,
      where: [where, ...shown].join('.'),
      message,
      cure,
    });
  }
}

/** where types belong that are no nodes */
const OUTSIDE: Readonly<Partial<Record<Role, string>>> = {
  hook: 'Move it to the list "hooks"',
  schedule: 'Write it inline where a param takes a schedule',
  step: 'Write it as "run": {"step": {"type": …}}',
};

/** keys of a node that are not params */
const OWN_KEYS = new Set(['type', 'inputs', 'from', 'phase', 'stream']);

export function paramsOf(value: NodeValue): Params {
  const params: Record<string, unknown> = {};
  for (const [key, said] of Object.entries(value)) if (!OWN_KEYS.has(key)) params[key] = said;
  return params;
}

const NONE: ReadonlySet<string> = new Set();

export function draftNodes(document: ResolvedDocument, types: Types, registry: Registry, report: Report): Draft[] {
  return Object.entries(document.nodes).map(([name, value]): Draft => {
    const path = ['nodes', name];
    const nothing = { name, value, params: {}, valid: false, inputs: [], broken: NONE };
    const declaration = declarationOf(value.type, path, name, types, registry, report);
    if (!declaration) return nothing;
    const cure = OUTSIDE[declaration.role];
    if (cure) {
      report.add({
        layer: 'schema',
        path: [...path, 'type'],
        where: name,
        message: `${declaration.type} is a ${declaration.role}, not a node of the graph`,
        cure,
      });
      return nothing;
    }
    const { params, problems } = readParams(declaration, value.type, paramsOf(value), types, registry);
    reportParams(problems, path, name, report);
    try {
      const ports = portsOf(declaration, params);
      return { name, value, declaration, params, valid: problems.length === 0, ports, inputs: [], broken: NONE };
    } catch (error) {
      // with wrong params the ports may not be known; otherwise the type has a defect, which must not hide the rest
      const message = `${declaration.type} failed while its ports were worked out: ${(error as Error).message}`;
      if (problems.length === 0) report.add({ layer: 'schema', path, where: name, message });
      return { ...nothing, declaration, params };
    }
  });
}

function portsOf(declared: NodeDeclaration, params: Params): Draft['ports'] {
  const resolve = (ports: Ports | ((params: Params) => Ports) | undefined): Ports =>
    typeof ports === 'function' ? ports(params) : (ports ?? {});
  return { inputs: resolve(declared.inputs), outputs: resolve(declared.outputs) };
}
