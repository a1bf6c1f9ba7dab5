import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import type { NodeDeclaration } from '../../../graph/node-type.ts';
import { conforms } from '../../../graph/params/conforms.ts';
import { withDefaults } from '../../../graph/params/defaults.ts';
import type { JsonSchema } from '../../../graph/params/json-schema.ts';
import { paramsSchema } from '../../../graph/params/validator.ts';
import { openRegistry } from '../../../runtime/pipeline/registry.ts';

const ajv = new Ajv2020({ strict: false });

/** Values of which many fit the schema and many just do not. */
function around(schema: JsonSchema, depth = 0): fc.Arbitrary<unknown> {
  const odd = fc.constantFrom<unknown>(null, true, '', 'x', '😀', 0, -1, 0.5, 1e9, [], [1, 1], {}, { x: 1 });
  const edges = [schema.minimum, schema.maximum, schema.exclusiveMinimum, schema.exclusiveMaximum]
    .filter((edge) => typeof edge === 'number')
    .flatMap((edge) => [edge, edge - 1, edge + 1, edge + 0.5]);
  const choices: fc.Arbitrary<unknown>[] = [odd];
  if ('default' in schema) choices.push(fc.constant(schema.default));
  if ('const' in schema) choices.push(fc.constant(schema.const));
  if (edges.length > 0) choices.push(fc.constantFrom(...edges));
  if (depth < 4) {
    choices.push(...(schema.anyOf ?? []).map((inner) => around(inner, depth + 1)));
    if (schema.type === 'array') choices.push(fc.array(around(itemOf(schema), depth + 1), { maxLength: 3 }));
    if (schema.properties) {
      const known = Object.entries(schema.properties).map(([key, inner]) => [key, around(inner, depth + 1)]);
      choices.push(fc.record({ ...Object.fromEntries(known), other: fc.constant(1) }, { requiredKeys: [] }));
    }
  }
  return fc.oneof(...choices);
}

const itemOf = ({ items, prefixItems }: JsonSchema): JsonSchema =>
  (typeof items === 'object' ? items : undefined) ?? prefixItems?.[0] ?? {};

describe('params that conform', () => {
  let declared: readonly NodeDeclaration[];
  before(async () => {
    const registry = await openRegistry();
    declared = [...(await registry.load(registry.list().map(({ type }) => type))).values()];
  });

  it('are those that the validator accepts, for every node type that ships', () => {
    let accepted = 0;
    for (const type of declared) {
      const schema = paramsSchema(type);
      const validate = ajv.compile(schema);
      const property = fc.property(around(schema), (value) => {
        for (const one of [value, withDefaults(schema, value)]) {
          const valid = validate(one);
          if (valid) accepted += 1;
          assert.equal(conforms(schema, one), valid, `${type.type} ${JSON.stringify(one)}`);
        }
      });
      fc.assert(property, { numRuns: 40, seed: 1 });
    }
    assert.ok(declared.length > 100 && accepted > declared.length, `${accepted} of all values are right`);
  });

  it('leave a keyword that is not understood to the validator', () => {
    assert.equal(conforms({ type: 'object', propertyNames: { maxLength: 1 } }, { a: 1 }), false);
    assert.equal(conforms({ type: 'string', constructor: 1 } as JsonSchema, 'a'), false);
  });
});
