/** Declared params → JSON Schema (draft 2020-12) that says exactly what is accepted. */
import type { TObject } from '#typebox';
import { mapValues } from '../map-values.ts';

/** The parts of JSON Schema that params use. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly required?: readonly string[];
  readonly items?: JsonSchema | boolean;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  /** kind of the inline node that stands here */
  readonly 'x-node'?: string;
  /** a bare number may stand for the inline node */
  readonly 'x-number'?: boolean;
  readonly [keyword: string]: unknown;
}

/**
 * TypeBox's output with three differences: objects are closed, a property with a default is not required, and tuples
 * use draft 2020-12's prefixItems.
 */
export function toJsonSchema(params: TObject): JsonSchema {
  return convert(params as unknown as JsonSchema);
}

function convert(schema: JsonSchema): JsonSchema {
  const { additionalItems: _, ...rest } = schema;
  const result: { -readonly [K in keyof JsonSchema]: JsonSchema[K] } = { ...rest };
  if (schema.properties) {
    result.properties = mapValues(schema.properties, convert);
    result.additionalProperties ??= false;
    const required = schema.required?.filter((key) => schema.properties![key]?.default === undefined) ?? [];
    if (required.length > 0) result.required = required;
    else delete result.required;
  } else if (schema.type === 'object' && schema.patternProperties) {
    result.additionalProperties ??= false;
  }
  if (schema.patternProperties) result.patternProperties = mapValues(schema.patternProperties, convert);
  if (typeof schema.additionalProperties === 'object')
    result.additionalProperties = convert(schema.additionalProperties);
  if (schema.anyOf) result.anyOf = schema.anyOf.map(convert);
  if (Array.isArray(schema.items)) {
    result.prefixItems = (schema.items as readonly JsonSchema[]).map(convert);
    result.items = false;
  } else if (typeof schema.items === 'object') {
    result.items = convert(schema.items as JsonSchema);
  }
  return result;
}
