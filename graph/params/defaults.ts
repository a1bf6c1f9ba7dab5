/** Puts in what a document leaves out. */
import { mapValues } from '../map-values.ts';
import type { JsonSchema } from './json-schema.ts';

/** `value` with the defaults of `schema` where it says nothing; nothing given is changed, and the input stays as it is. */
export function withDefaults(schema: JsonSchema, value: unknown): unknown {
  const chosen = schema.anyOf ? branch(schema.anyOf, value) : schema;
  if (!chosen || chosen['x-node'] !== undefined) return value;
  if (Array.isArray(value)) {
    return value.map((item, i) => {
      const of = chosen.prefixItems?.[i] ?? chosen.items;
      return typeof of === 'object' ? withDefaults(of, item) : item;
    });
  }
  if (typeof value !== 'object' || value === null || !chosen.properties) return value;
  const result: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(chosen.properties)) {
    const said = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : copyOf(inner.default);
    if (said !== undefined) result[key] = withDefaults(inner, said);
  }
  return { ...value, ...result };
}

/** A copy of a JSON value; a structured clone would cost as much as all the rest of reading params. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  return typeof value === 'object' && value !== null ? mapValues(value as Record<string, unknown>, copyOf) : value;
}

/** The alternative that a value is meant for: for an object the first that knows all its keys and lacks none. */
function branch(alternatives: readonly JsonSchema[], value: unknown): JsonSchema | undefined {
  if (Array.isArray(value)) return alternatives.find(({ type }) => type === 'array');
  if (typeof value !== 'object' || value === null) return undefined;
  return alternatives.find(
    ({ properties, required = [] }) =>
      properties &&
      Object.entries(value).every(([key, item]) => {
        const inner = properties[key];
        return inner && (!('const' in inner) || inner.const === item);
      }) &&
      required.every((key) => Object.hasOwn(value, key)),
  );
}
