/** A quick yes for values that are right, without compiling a validator: almost all params of almost all documents. */
import type { JsonSchema } from './json-schema.ts';

/** What is understood here; a schema that says more is left to the validator. */
const NOTES = new Set(['default', 'description', 'title', 'examples', 'x-node', 'x-number']);

type Test = (limit: never, value: unknown, schema: JsonSchema) => boolean;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  array: Array.isArray,
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isInteger,
  null: (value) => value === null,
  number: (value) => Number.isFinite(value),
  object: isRecord,
  string: (value) => typeof value === 'string',
};

const isOfType = (type: string, value: unknown) => TYPES[type]?.(value) === true;

const TESTS: Readonly<Record<string, Test>> = {
  type: (type: string | readonly string[], value) =>
    typeof type === 'string' ? isOfType(type, value) : type.some((one) => isOfType(one, value)),
  const: (wanted: unknown, value) => typeof wanted !== 'object' && wanted === value,
  enum: (wanted: readonly unknown[], value) => typeof value !== 'object' && wanted.includes(value),
  anyOf: (schemas: readonly JsonSchema[], value) => schemas.some((schema) => conforms(schema, value)),
  minimum: (limit: number, value) => typeof value !== 'number' || value >= limit,
  maximum: (limit: number, value) => typeof value !== 'number' || value <= limit,
  exclusiveMinimum: (limit: number, value) => typeof value !== 'number' || value > limit,
  exclusiveMaximum: (limit: number, value) => typeof value !== 'number' || value < limit,
  multipleOf: (divisor: number, value) => typeof value !== 'number' || Number.isInteger(value / divisor),
  minItems: (limit: number, value) => !Array.isArray(value) || value.length >= limit,
  maxItems: (limit: number, value) => !Array.isArray(value) || value.length <= limit,
  uniqueItems: (unique: boolean, value) =>
    !unique ||
    !Array.isArray(value) ||
    (value.every((item) => typeof item !== 'object') && new Set(value).size === value.length),
  minLength: (limit: number, value) => typeof value !== 'string' || [...value].length >= limit,
  pattern: (pattern: string, value) => typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
  required: (keys: readonly string[], value) => !isRecord(value) || keys.every((key) => Object.hasOwn(value, key)),
  properties: (properties: Readonly<Record<string, JsonSchema>>, value) =>
    !isRecord(value) ||
    Object.keys(properties).every((key) => !Object.hasOwn(value, key) || conforms(properties[key]!, value[key])),
  patternProperties: (patterns: Readonly<Record<string, JsonSchema>>, value) =>
    !isRecord(value) ||
    Object.entries(patterns).every(([pattern, schema]) =>
      Object.entries(value).every(([key, inner]) => !new RegExp(pattern, 'u').test(key) || conforms(schema, inner)),
    ),
  additionalProperties: (others: boolean | JsonSchema, value, { properties = {}, patternProperties = {} }) =>
    !isRecord(value) ||
    Object.entries(value).every(
      ([key, inner]) =>
        Object.hasOwn(properties, key) ||
        Object.keys(patternProperties).some((pattern) => new RegExp(pattern, 'u').test(key)) ||
        (typeof others === 'boolean' ? others : conforms(others, inner)),
    ),
  prefixItems: (schemas: readonly JsonSchema[], value) =>
    !Array.isArray(value) || schemas.every((schema, i) => i >= value.length || conforms(schema, value[i])),
  items: (schema: boolean | JsonSchema, value, { prefixItems = [] }) => {
    if (!Array.isArray(value)) return true;
    const rest = value.slice(prefixItems.length);
    return typeof schema === 'boolean' ? schema || rest.length === 0 : rest.every((item) => conforms(schema, item));
  },
};

/** True when `value` surely fits `schema`; false when it does not, or when only the validator can tell. */
export function conforms(schema: JsonSchema, value: unknown): boolean {
  for (const keyword of Object.keys(schema)) {
    if (NOTES.has(keyword)) continue;
    const test = Object.hasOwn(TESTS, keyword) ? TESTS[keyword] : undefined;
    if (!test?.(schema[keyword as keyof JsonSchema] as never, value, schema)) return false;
  }
  return true;
}
