import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { parse } from 'jsonc-parser';
import type { NodeDeclaration } from '../../../graph/node-type.ts';
import { type JsonSchema, toJsonSchema } from '../../../graph/params/json-schema.ts';
import { readParams } from '../../../graph/params/read.ts';
import { createRegistry, type Registry } from '../../../graph/registry.ts';
import { pipelineSchema } from '../../../graph/schema/pipeline.ts';
import { nodeTypes } from '../fixtures/node-types.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
type Types = ReadonlyMap<string, NodeDeclaration>;

/** Values that `schema` accepts. */
function valid(schema: JsonSchema, types: Types, depth = 0): fc.Arbitrary<unknown> {
  const kind = schema['x-node'];
  if (kind !== undefined) {
    const inline = [...types.values()]
      .filter(
        ({ type, params }) =>
          type.startsWith(`${kind}/`) && (depth < 2 || !JSON.stringify(params).includes(`"x-node":"${kind}"`)),
      )
      .map((declared) =>
        valid(toJsonSchema(declared.params), types, depth + 1).map((params) => ({
          [kind]: declared.type.slice(kind.length + 1),
          ...(params as object),
        })),
      );
    return fc.oneof(...inline, ...(schema['x-number'] ? [fc.constantFrom(0, 0.5, 3)] : []));
  }
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((inner) => valid(inner, types, depth)));
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema as Record<string, number | undefined>;
  const low = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1e-3);
  const high = maximum ?? (exclusiveMaximum === undefined ? undefined : exclusiveMaximum - 1e-3);
  switch (schema.type) {
    case 'integer': {
      const step = (schema.multipleOf as number) ?? 1;
      const first = Math.ceil((low ?? Math.min(-3, (high ?? 0) - 10)) / step);
      const last = Math.min(Math.floor((high ?? Infinity) / step), first + 40);
      return fc.integer({ min: first, max: last }).map((n) => n * step);
    }
    case 'number': {
      const first = low ?? (high ?? 0) - 10;
      const last = high ?? first + 10;
      return fc.double({ min: first, max: last, noNaN: true });
    }
    case 'string':
      return schema.pattern
        ? fc.stringMatching(new RegExp(schema.pattern as string))
        : fc.constantFrom('a', './b', 'x.y');
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array': {
      if (schema.prefixItems) return fc.tuple(...schema.prefixItems.map((item) => valid(item, types, depth)));
      const items = typeof schema.items === 'object' ? valid(schema.items, types, depth) : fc.jsonValue();
      const minLength = (schema.minItems as number) ?? 0;
      const lengths = { minLength, maxLength: (schema.maxItems as number) ?? minLength + 3 };
      return schema.uniqueItems
        ? fc.uniqueArray(items, { ...lengths, selector: (item) => JSON.stringify(item) })
        : fc.array(items, lengths);
    }
    case 'object': {
      if (!schema.properties) {
        const value = Object.values(schema.patternProperties ?? {})[0] ?? {};
        return fc.dictionary(fc.constantFrom('k', 'l.m'), valid(value, types, depth), { maxKeys: 2 });
      }
      const members = Object.entries(schema.properties).map(
        ([key, inner]) => [key, valid(inner, types, depth)] as const,
      );
      return fc.record(Object.fromEntries(members), { requiredKeys: [...(schema.required ?? [])] });
    }
    default:
      return fc.jsonValue();
  }
}

const JUNK = [null, true, false, 'junk', '', -1e9, 0.5, 1e9, [], ['junk'], {}, { junk: 1 }];

/** Every place in a value, from the outside in. */
function places(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, item]) => places(item, [...path, key]))];
}

function put(value: unknown, path: readonly string[], change: (old: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  if (Array.isArray(value)) return value.map((item, i) => (String(i) === key ? put(item, rest, change) : item));
  const inner = put((value as Record<string, unknown>)[key], rest, change);
  const { [key]: _, ...others } = value as Record<string, unknown>;
  return inner === undefined ? others : { ...others, [key]: inner };
}

/** Params with one thing changed: a value, a key less, a key more. */
const mutated = (params: unknown): fc.Arbitrary<unknown> => {
  const all = places(params);
  const inside = all.filter((path) => path.length > 0);
  const add = (old: unknown) =>
    typeof old === 'object' && old !== null && !Array.isArray(old) ? { ...old, surely_unknown: 1 } : old;
  const changes = [fc.constantFrom(...all).map((path) => put(params, path, add))];
  if (inside.length > 0) {
    const junk = fc.tuple(fc.constantFrom(...inside), fc.constantFrom(...JUNK));
    changes.push(
      junk.map(([path, value]) => put(params, path, () => value)),
      fc.constantFrom(...inside).map((path) => put(params, path, () => undefined)),
    );
  }
  return fc.oneof(...changes);
};

describe('published schema', () => {
  let registry: Registry;
  let types: Types;
  let accepts: (document: unknown) => boolean;
  let reasons: () => string;
  before(async () => {
    registry = await createRegistry({ types: nodeTypes });
    types = await registry.load(registry.list().map(({ type }) => type));
    const ajv = new Ajv2020({ strict: false, validateSchema: true });
    const validate = ajv.compile(pipelineSchema([...types.values()]));
    accepts = (document) => validate(document);
    reasons = () => ajv.errorsText(validate.errors);
  });

  /** The two judges: no mistakes in the schema layer, and the published schema. */
  const agree = (declared: NodeDeclaration, params: unknown) => {
    const { problems } = readParams(declared, declared.type, params as Record<string, unknown>, types, registry);
    const node = { type: declared.type, ...(params as object) };
    const published = accepts(declared.role === 'hook' ? { hooks: [node] } : { nodes: { x: node } });
    const shown = `${JSON.stringify(node)}\nlayer: ${problems.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')}\npublished: ${published ? '' : reasons()}`;
    assert.equal(published, problems.length === 0, shown);
    return published;
  };

  it('is fresh', () => {
    const script = ['scripts/build-schema.js', '--check'];
    const { status, stderr } = spawnSync(process.execPath, script, { cwd: root, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });

  it('accepts what the schema layer accepts: generated params of every node type', () => {
    for (const declared of types.values()) {
      if (declared.role === 'schedule') continue;
      fc.assert(
        fc.property(valid(toJsonSchema(declared.params), types), (params) => {
          assert.ok(agree(declared, params), `${declared.type}: generated params must be right`);
        }),
        { numRuns: 10 },
      );
    }
  });

  it('refuses what the schema layer refuses: one change anywhere in them', () => {
    let refused = 0;
    for (const declared of types.values()) {
      if (declared.role === 'schedule') continue;
      const params = valid(toJsonSchema(declared.params), types).chain(mutated);
      fc.assert(
        fc.property(params, (value) => {
          if (!agree(declared, value)) refused++;
        }),
        { numRuns: 30 },
      );
    }
    assert.ok(refused > 100, `${refused} refusals`);
  });

  it('accepts a knob in the place of any value', () => {
    for (const declared of types.values()) {
      if (declared.role === 'schedule' || declared.role === 'hook') continue;
      const params = valid(toJsonSchema(declared.params), types).chain((value) => {
        const inside = places(value).filter((path) => path.length > 0);
        if (inside.length === 0) return fc.constant(value);
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a knob
        return fc.constantFrom(...inside).map((path) => put(value, path, () => '${knob} * 2'));
      });
      fc.assert(
        fc.property(params, (value) => {
          assert.ok(
            accepts({ nodes: { x: { type: declared.type, ...(value as object) } } }),
            `${JSON.stringify(value)} ${reasons()}`,
          );
        }),
        { numRuns: 10 },
      );
    }
  });

  it('knows sections, settings, wires, chains and graphs', () => {
    const crops = { type: 'test_transform/crops' };
    for (const document of [
      { name: 'x', extends: 'base.json', knobs: { a: 1 }, nodes: { head: { dims: [1] } }, run: { seed: 3 } },
      { extends: ['a', 'b'], nodes: { head: { type: 'test_head/swav' }, gone: null }, hooks: [null] },
      { nodes: { views: { type: 'chain', from: 'images', nodes: [{ name: 'a', ...crops }, crops] } } },
      { nodes: { part: { type: 'graph', ref: './x.json', inputs: { a: 'b.c' }, knobs: { d: 1 } } } },
      {
        nodes: {
          x: { type: 'test_model/add', inputs: { a: { train: 'a.b', test: ['c.d'] } }, stream: 's', phase: 'p' },
        },
      },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a knob
      { nodes: { x: { type: '${kind}', anything: 1 } }, run: { epochs: '${epochs}' } },
    ]) {
      assert.ok(accepts(document), `${JSON.stringify(document)}: ${reasons()}`);
    }
    for (const document of [
      { nods: {} },
      { nodes: { x: 3 } },
      { nodes: { x: { type: 'test_hook/log' } } },
      { nodes: { head: { type: 'test_head/swav' } } },
      { nodes: { x: { type: 'test_transform/nothing' } } },
      { nodes: { x: { ...crops, inputs: { picture: 'a.b' } } } },
      { nodes: { x: { ...crops, from: 3 } } },
      { nodes: { x: { type: 'chain', nodes: [] } } },
      { nodes: { x: { type: 'chain', nodes: [{ ...crops, sizes: 'big' }] } } },
      { nodes: { x: { type: 'graph' } } },
      { run: { epoch: 3 } },
      { run: null },
      { hooks: [{ type: 'test_loss/swav' }] },
      { extends: 3 },
    ]) {
      assert.ok(!accepts(document), JSON.stringify(document));
    }
  });

  it('accepts every pipeline that ships, and its parts', async () => {
    const shipped = await createRegistry();
    const all = await shipped.load(shipped.list().map(({ type }) => type));
    const ajv = new Ajv2020({ strict: false });
    const validate = ajv.compile(pipelineSchema([...all.values()]));
    const files = readdirSync(join(root, 'pipelines'), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => name.endsWith('.json'))) {
      const document = parse(readFileSync(join(root, 'pipelines', file), 'utf8'));
      assert.ok(validate(document), `${file}: ${ajv.errorsText(validate.errors)}`);
    }
  });
});
