/** Params in the published schema: as node types declare them, with knobs and inline nodes. */

import { mapValues } from '../map-values.ts';
import type { JsonSchema } from '../params/json-schema.ts';

/** A text with a knob in it may stand for any value. */
export const KNOB: JsonSchema = {
  type: 'string',
  pattern: '\\$\\{',
  description: `a knob, "\${name}", or arithmetic with knobs`,
};

const knob: JsonSchema = { $ref: '#/$defs/knob' };

/** The name of a definition: "inline:schedule". */
export const inlineDefinition = (kind: string): string => `inline:${kind}`;

/**
 * A value or a knob in its place, at every depth. Nothing is required here: a document may say a part of a node that
 * another document completes.
 */
export function orKnob(schema: JsonSchema): JsonSchema {
  const { description, default: usual, ...rest } = schema;
  const outer = { ...(description ? { description } : {}), ...(usual === undefined ? {} : { default: usual }) };
  const inner = within(rest);
  if (acceptsAnyText(inner)) return { ...outer, ...inner };
  const alternatives = inner.anyOf && Object.keys(inner).length === 1 ? inner.anyOf : [inner];
  return { ...outer, anyOf: [...alternatives, knob] };
}

function acceptsAnyText(schema: JsonSchema): boolean {
  return schema.type === 'string' && !('const' in schema) && !schema.enum && !schema.pattern && !schema.minLength;
}

function within(schema: JsonSchema): JsonSchema {
  const kind = schema['x-node'];
  if (kind !== undefined) {
    const inline: JsonSchema = { $ref: `#/$defs/${inlineDefinition(kind)}` };
    const { minimum } = schema;
    const number = { type: 'number', ...(minimum === undefined ? {} : { minimum }) };
    return schema['x-number'] ? { anyOf: [number, inline] } : inline;
  }
  const { required: _, ...rest } = schema;
  const result: { -readonly [K in keyof JsonSchema]: JsonSchema[K] } = { ...rest };
  if (schema.properties) result.properties = mapValues(schema.properties, orKnob);
  if (schema.patternProperties) result.patternProperties = mapValues(schema.patternProperties, orKnob);
  if (schema.anyOf) result.anyOf = schema.anyOf.map(within);
  if (schema.prefixItems) result.prefixItems = schema.prefixItems.map(orKnob);
  if (typeof schema.items === 'object') result.items = orKnob(schema.items);
  return result;
}
