/** A condition in JSON Schema. */
import type { JsonSchema } from '../params/json-schema.ts';

export function when(condition: JsonSchema, consequence: JsonSchema): JsonSchema {
  // biome-ignore lint/suspicious/noThenProperty: the keyword's name
  return { if: condition, then: consequence };
}

/** An object whose `key` is one of the names. */
export function named(key: string, names: readonly string[]): JsonSchema {
  return { required: [key], properties: { [key]: names.length === 1 ? { const: names[0] } : { enum: names } } };
}
