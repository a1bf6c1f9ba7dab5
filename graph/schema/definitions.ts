/** Definitions by node type, told apart by "type" (or by the kind's key, for inline nodes). */

import { mapValues } from '../map-values.ts';
import { type NodeDeclaration, namesOf } from '../node-type.ts';
import { type JsonSchema, toJsonSchema } from '../params/json-schema.ts';
import { requirements } from './complete.ts';
import { orKnob } from './values.ts';
import { named, when } from './when.ts';

/** What says which type is meant, and the names it is known by. */
export interface Discriminator {
  readonly key: string;
  readonly names: (declared: NodeDeclaration) => readonly string[];
}

export const BY_TYPE: Discriminator = { key: 'type', names: namesOf };

/** {"schedule": "cosine"}: short name, whole id or alias. */
export const byKind = (kind: string): Discriminator => ({
  key: kind,
  names: (declared) => [...new Set([declared.type.slice(kind.length + 1), ...namesOf(declared)])],
});

const WIRE: JsonSchema = { $ref: '#/$defs/wire' };

/** The params of a type; for nodes of a graph the inputs as well. */
export function definition(declared: NodeDeclaration, inGraph: boolean): JsonSchema {
  const params = mapValues(toJsonSchema(declared.params).properties ?? {}, orKnob);
  return { description: declared.description, properties: inGraph ? { ...inputsOf(declared), ...params } : params };
}

function inputsOf({ inputs }: NodeDeclaration): Record<string, JsonSchema> {
  if (typeof inputs === 'function') return { inputs: { type: 'object', additionalProperties: WIRE } };
  const ports = mapValues(inputs ?? {}, ({ description }) => (description ? { description, ...WIRE } : WIRE));
  return { inputs: { type: 'object', properties: ports, additionalProperties: false } };
}

/** If an object names a type, then that type's definition; anything goes where the name is a knob or is not said. */
export function discriminated(
  types: readonly NodeDeclaration[],
  { key, names }: Discriminator,
  nameOf: (declared: NodeDeclaration) => string,
): JsonSchema {
  const all = types.map(names);
  return {
    type: 'object',
    properties: {
      [key]: {
        description: 'what this is',
        anyOf: [
          { enum: all.map(([name]) => name) },
          { enum: all.flatMap((of) => of.slice(1)) },
          { $ref: '#/$defs/knob' },
        ],
      },
    },
    allOf: [
      when({ properties: { [key]: { $ref: '#/$defs/knob' } } }, { additionalProperties: true }),
      ...types.map((declared) => when(named(key, names(declared)), { $ref: `#/$defs/${nameOf(declared)}` })),
    ],
  };
}

/** What each type requires. */
export function complete(types: readonly NodeDeclaration[], { key, names }: Discriminator): JsonSchema {
  const all = types.flatMap((declared) => {
    const wanted = requirements(toJsonSchema(declared.params));
    return wanted ? [when(named(key, names(declared)), wanted)] : [];
  });
  return all.length > 0 ? { allOf: all } : {};
}

/** "/" ends a step of a JSON pointer */
export function definitionName({ type }: NodeDeclaration): string {
  return type.replace('/', ':');
}
