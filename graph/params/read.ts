/** Params as a document gives them → params as a node gets them: defaults put in, inline nodes validated. */
import type { NodeDeclaration } from '../node-type.ts';
import type { Registry } from '../registry.ts';
import { withDefaults } from './defaults.ts';
import type { ParamProblem } from './explain.ts';
import { inlineNodes, replaced } from './inline.ts';
import { paramsSchema, validateParams } from './validator.ts';
import { given } from './words.ts';

export type Params = Readonly<Record<string, unknown>>;

/** Node types by type id. */
export type Types = ReadonlyMap<string, NodeDeclaration>;

/**
 * The params of `declared`, by this name in the document, and every mistake in them. Where a param is wrong the result has its default instead (or
 * nothing), so that what does not depend on it can still be checked.
 */
export function readParams(
  declared: NodeDeclaration,
  name: string,
  said: Params,
  types: Types,
  registry: Registry,
): { params: Params; problems: readonly ParamProblem[] } {
  const schema = paramsSchema(declared);
  const filled = withDefaults(schema, { ...declared.presets?.[name], ...said }) as Params;
  const problems = [...validateParams(declared, filled)];
  let params = filled;
  for (const { path, kind, number, value } of inlineNodes(schema, filled)) {
    if (number && typeof value === 'number') continue;
    const inner = readInline(kind, number, value, types, registry);
    problems.push(...inner.problems.map((problem) => ({ ...problem, path: [...path.map(String), ...problem.path] })));
    params = replaced(params, path, inner.value) as Params;
  }
  return { params: problems.length === 0 ? params : withoutWrong(declared, params, problems), problems };
}

/** The type that an inline node names: by the last part of its id, its whole id, or an alias. */
export function inlineType(kind: string, name: string, registry: Registry): string | undefined {
  const entry = registry.find(`${kind}/${name}`) ?? registry.find(name);
  return entry?.type.startsWith(`${kind}/`) ? entry.type : undefined;
}

function readInline(
  kind: string,
  number: boolean,
  value: unknown,
  types: Types,
  registry: Registry,
): { value: unknown; problems: readonly ParamProblem[] } {
  const refuse = (path: readonly string[], message: string, cure?: string) => ({
    value,
    problems: [{ path, message, cure }],
  });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse([], `is ${given(value)}, and must be ${number ? 'a number or ' : ''}an object { "${kind}": … }`);
  }
  const { [kind]: name, ...said } = value as Record<string, unknown>;
  if (typeof name !== 'string') {
    const wrong = name === undefined ? `has no "${kind}"` : `has ${given(name)} as "${kind}"`;
    const known = registry.list(kind).map(({ type }) => type.slice(kind.length + 1));
    return refuse(name === undefined ? [] : [kind], wrong, `Name one of: ${known.join(', ')}`);
  }
  const type = inlineType(kind, name, registry);
  const declared = type === undefined ? undefined : types.get(type);
  if (!declared) {
    return refuse([kind], `"${name}" is no ${kind}`, registry.suggest(`${kind}/${name}`).replaceAll(`"${kind}/`, '"'));
  }
  const { params, problems } = readParams(declared, name, said, types, registry);
  return { value: { [kind]: declared.type.slice(kind.length + 1), ...params }, problems };
}

function withoutWrong(declared: NodeDeclaration, params: Params, problems: readonly ParamProblem[]): Params {
  const kept: Record<string, unknown> = { ...params };
  for (const { path } of problems) if (path.length > 0) delete kept[path[0]!];
  return withDefaults(paramsSchema(declared), kept) as Params;
}
