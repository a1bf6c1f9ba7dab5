/** Inline nodes: params that are nodes of another kind, such as {"schedule": "cosine", …}. */
import type { JsonSchema } from './json-schema.ts';

/** Where an inline node stands in given params. */
export interface InlineNode {
  readonly path: readonly (string | number)[];
  readonly kind: string;
  /** a bare number is accepted */
  readonly number: boolean;
  readonly value: unknown;
}

/** All inline nodes of `value`, not looking into them. */
export function inlineNodes(
  schema: JsonSchema,
  value: unknown,
  path: readonly (string | number)[] = [],
): readonly InlineNode[] {
  const kind = schema['x-node'];
  if (kind !== undefined) return [{ path, kind, number: schema['x-number'] === true, value }];
  if (schema.anyOf) {
    const marked = schema.anyOf.find((alternative) => meant(alternative, value));
    return marked ? inlineNodes(marked, value, path) : [];
  }
  if (Array.isArray(value)) {
    return value.flatMap((item, i) => {
      const of = schema.prefixItems?.[i] ?? schema.items;
      return typeof of === 'object' ? inlineNodes(of, item, [...path, i]) : [];
    });
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const of = schema.properties?.[key] ?? Object.values(schema.patternProperties ?? {})[0];
    return of ? inlineNodes(of, item, [...path, key]) : [];
  });
}

function meant(schema: JsonSchema, value: unknown): boolean {
  if (schema['x-node'] !== undefined) {
    if (typeof value === 'number') return schema['x-number'] === true;
    return typeof value === 'object' && value !== null && Object.hasOwn(value, schema['x-node']);
  }
  if (Array.isArray(value)) return schema.type === 'array';
  return typeof value === 'object' && value !== null && schema.type === 'object';
}

/** `value` with `made` in the place of what stands at `path`; the input stays as it is. */
export function replaced(value: unknown, path: readonly (string | number)[], made: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return made;
  if (Array.isArray(value)) return value.map((item, i) => (i === key ? replaced(item, rest, made) : item));
  const object = value as Record<string, unknown>;
  return { ...object, [key]: replaced(object[key], rest, made) };
}
