/** Schemas and values in plain words. */
import type { JsonSchema } from './json-schema.ts';

/** What a schema wants: "a number above 0", "one of "a", "b"", "a list of 2". */
export function wanted(schema: JsonSchema): string {
  if (schema['x-node'] !== undefined) {
    const kind = schema['x-node'];
    return `${schema['x-number'] ? `a number${bounds(schema)} or ` : ''}an object { "${kind}": … }`;
  }
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return oneOf(schema.enum);
  if (schema.anyOf) {
    const choices = literals(schema);
    return choices ? oneOf(choices) : schema.anyOf.map(wanted).join(' or ');
  }
  switch (schema.type) {
    case 'integer':
      return `a whole number${bounds(schema)}`;
    case 'number':
      return `a number${bounds(schema)}`;
    case 'string':
      return 'a text';
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'array':
      return list(schema);
    case 'object':
      return 'an object';
    default:
      return 'another value';
  }
}

/** All values when the schema lists them, else undefined. */
export function literals(schema: JsonSchema): readonly unknown[] | undefined {
  if (schema.enum) return schema.enum;
  if ('const' in schema) return [schema.const];
  const parts = schema.anyOf?.map(literals);
  return parts?.every((part) => part !== undefined) ? (parts as unknown[][]).flat() : undefined;
}

/** What a value is: "0.1 (a text)" with its quotes, 3, true, "a list of 4", "an object". */
export function given(value: unknown): string {
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value)}`;
  if (Array.isArray(value)) {
    const text = JSON.stringify(value);
    return text.length <= 40 ? `the list ${text}` : `a list of ${value.length}`;
  }
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

function oneOf(values: readonly unknown[]): string {
  const shown = values.map((value) => JSON.stringify(value));
  return shown.length === 1 ? shown[0]! : `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`;
}

function list(schema: JsonSchema): string {
  if (schema.prefixItems) return `[${schema.prefixItems.map(wanted).join(', ')}]`;
  return typeof schema.items === 'object' ? `a list (each ${wanted(schema.items)})` : 'a list';
}

function bounds(schema: JsonSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema as Record<string, number | undefined>;
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const parts = [
    minimum === undefined ? '' : `of at least ${minimum}`,
    exclusiveMinimum === undefined ? '' : `above ${exclusiveMinimum}`,
    maximum === undefined ? '' : `of at most ${maximum}`,
    exclusiveMaximum === undefined ? '' : `below ${exclusiveMaximum}`,
  ].filter(Boolean);
  return parts.length > 0 ? ` ${parts.join(' and ')}` : '';
}
