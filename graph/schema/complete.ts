/** What a document that extends nothing has to say in full: the required params, at every depth. */
import type { JsonSchema } from '../params/json-schema.ts';
import { inlineDefinition } from './values.ts';
import { when } from './when.ts';

/** The name of a definition: "complete:schedule". */
export const completeDefinition = (kind: string): string => `complete:${inlineDefinition(kind)}`;

/** Only what `schema` requires; undefined when that is nothing. */
export function requirements(schema: JsonSchema): JsonSchema | undefined {
  const kind = schema['x-node'];
  if (kind !== undefined) return when({ type: 'object' }, { $ref: `#/$defs/${completeDefinition(kind)}` });
  if (schema.anyOf) return ofUnion(schema.anyOf);
  const properties = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
    const wanted = requirements(inner);
    return wanted ? [[key, wanted] as const] : [];
  });
  const items = typeof schema.items === 'object' ? requirements(schema.items) : undefined;
  const prefixItems = schema.prefixItems?.map((item) => requirements(item) ?? {}) ?? [];
  const result: JsonSchema = {
    ...(schema.required ? { required: schema.required } : {}),
    ...(properties.length > 0 ? { properties: Object.fromEntries(properties) } : {}),
    ...(items ? { items } : {}),
    ...(prefixItems.some((item) => Object.keys(item).length > 0) ? { prefixItems } : {}),
  };
  return Object.keys(result).length > 0 ? result : undefined;
}

/** An object has to be complete as one of the objects it may be. */
function ofUnion(alternatives: readonly JsonSchema[]): JsonSchema | undefined {
  const objects = alternatives.filter(({ type, properties }) => type === 'object' || properties);
  const wanted = objects.map(requirements);
  if (wanted.length === 0 || wanted.includes(undefined)) return undefined;
  return when({ type: 'object' }, wanted.length === 1 ? wanted[0]! : { anyOf: wanted as JsonSchema[] });
}
