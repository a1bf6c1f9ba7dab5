/**
 * The JSON Schema of pipelines (draft 2020-12) that editors use, made of the node types there are. It says what the
 * schema layer of the checks says, with two allowances for documents that are parts of others: a node need not name its
 * type, and what is required may be left out where a document extends another.
 */
import { RUN_SCHEMA } from '../check/run-settings.ts';
import { FORMS } from '../forms.ts';
import { mapValues } from '../map-values.ts';
import type { NodeDeclaration } from '../node-type.ts';
import { type JsonSchema, toJsonSchema } from '../params/json-schema.ts';
import { completeDefinition } from './complete.ts';
import { BY_TYPE, byKind, complete, definition, definitionName, discriminated } from './definitions.ts';
import { inlineDefinition, KNOB, orKnob } from './values.ts';
import { named, when } from './when.ts';

const TEXT: JsonSchema = { type: 'string' };
const CLOSED = { unevaluatedProperties: false };

/** The wires and lanes of every node. */
const NODE_KEYS: Readonly<Record<string, JsonSchema>> = {
  from: { description: 'what the first input is connected to: "node" or "node.port"', $ref: '#/$defs/wire' },
  phase: { ...TEXT, description: 'the phase of a collator (default train), or the one this node is to run in' },
  stream: { ...TEXT, description: 'ordered lane of work on the device; lanes may overlap' },
};

export function pipelineSchema(types: readonly NodeDeclaration[]): JsonSchema {
  const hooks = types.filter(({ role }) => role === 'hook');
  const nodes = types.filter(({ role }) => role !== 'hook' && role !== 'schedule' && role !== 'step');
  const kinds = [...new Set(types.flatMap(({ params }) => inlineKinds(params as unknown as JsonSchema)))].sort();
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Pipeline',
    description: 'A self-supervised training or evaluation as a graph of typed nodes.',
    type: 'object',
    properties: {
      $schema: TEXT,
      format: { type: 'integer', description: 'version of the document format' },
      name: TEXT,
      description: TEXT,
      extends: {
        description: 'documents this one builds on; later wins; paths relative to this file',
        anyOf: [TEXT, { type: 'array', items: TEXT }],
      },
      inputs: { type: 'object', description: 'of a document that is used as a node: input → ports inside' },
      outputs: { type: 'object', description: 'of a document that is used as a node: output → port inside' },
      knobs: { type: 'object', description: `values that "\${name}" stands for; set with name=value` },
      nodes: { type: 'object', additionalProperties: orNull('#/$defs/node') },
      run: { $ref: '#/$defs/run' },
      hooks: {
        type: ['array', 'null'],
        description: 'observers, in the order they run',
        items: orNull('#/$defs/hook'),
      },
    },
    additionalProperties: false,
    ...when(
      { not: { required: ['extends'] } },
      {
        properties: {
          nodes: { additionalProperties: { $ref: '#/$defs/complete:node' } },
          hooks: { items: { $ref: '#/$defs/complete:hook' } },
        },
      },
    ),
    $defs: {
      knob: KNOB,
      wire: {
        description: '"node.port" or "node"; several in a list; or either by phase',
        anyOf: [
          TEXT,
          { type: 'array', items: TEXT },
          { type: 'object', additionalProperties: { anyOf: [TEXT, { type: 'array', items: TEXT }] } },
        ],
      },
      node: { $ref: '#/$defs/open:node', ...CLOSED },
      member: { properties: { name: TEXT }, $ref: '#/$defs/open:node', ...CLOSED },
      'open:node': openNode(nodes),
      hook: { ...discriminated(hooks, BY_TYPE, definitionName), required: ['type'], ...CLOSED },
      'complete:node': completeNode(nodes),
      'complete:hook': complete(hooks, BY_TYPE),
      run: { ...RUN_SCHEMA, properties: mapValues(RUN_SCHEMA.properties!, orKnob) },
      ...Object.fromEntries(kinds.flatMap((kind) => inlineDefinitions(kind, types))),
      ...Object.fromEntries(nodes.map((declared) => [definitionName(declared), definition(declared, true)])),
      ...Object.fromEntries(hooks.map((declared) => [definitionName(declared), definition(declared, false)])),
    },
  };
}

function orNull($ref: string): JsonSchema {
  return { anyOf: [{ $ref }, { type: 'null', description: 'removes what an extended document has here' }] };
}

/** Node types, and the forms that are expanded before the graph is checked. */
function openNode(nodes: readonly NodeDeclaration[]): JsonSchema {
  const types = discriminated(nodes, BY_TYPE, definitionName);
  const [known, aliases, knob] = types.properties!.type!.anyOf!;
  const form = (type: string, properties: Record<string, JsonSchema>, required: readonly string[]) =>
    when(named('type', [type]), { properties, required });
  const members = { type: 'array', minItems: 1, items: { $ref: '#/$defs/member' } } as const;
  const inputs = { type: 'object', additionalProperties: { $ref: '#/$defs/wire' } };
  return {
    ...types,
    properties: {
      type: {
        ...types.properties!.type!,
        anyOf: [{ enum: ['chain', 'graph', ...FORMS.map(({ type }) => type), ...known!.enum!] }, aliases!, knob!],
      },
      ...NODE_KEYS,
    },
    allOf: [
      ...(types.allOf as readonly JsonSchema[]),
      form('chain', { nodes: { ...members, description: 'nodes, each taking the one before it' } }, ['nodes']),
      form('graph', { ref: { ...TEXT, description: 'document of the graph' }, knobs: { type: 'object' }, inputs }, [
        'ref',
      ]),
      ...FORMS.map(({ type, params }) => {
        const { properties, required } = toJsonSchema(params);
        return form(type, { inputs, ...mapValues(properties!, orKnob) }, required!);
      }),
    ],
  };
}

function completeNode(nodes: readonly NodeDeclaration[]): JsonSchema {
  const items = { $ref: '#/$defs/complete:node' };
  const members = when(named('type', ['chain']), { properties: { nodes: { items } } });
  const types = complete(nodes, BY_TYPE);
  return { ...types, allOf: [...((types.allOf as readonly JsonSchema[]) ?? []), members] };
}

/** A type may stand in the graph and inline: inline it has no wires. */
const inlineName = (declared: NodeDeclaration): string => `inline:${definitionName(declared)}`;

function inlineDefinitions(kind: string, types: readonly NodeDeclaration[]): [string, JsonSchema][] {
  const of = types.filter(({ type }) => type.startsWith(`${kind}/`));
  return [
    [inlineDefinition(kind), { ...discriminated(of, byKind(kind), inlineName), required: [kind], ...CLOSED }],
    [completeDefinition(kind), complete(of, byKind(kind))],
    ...of.map((declared): [string, JsonSchema] => [inlineName(declared), definition(declared, false)]),
  ];
}

/** The kinds of inline nodes that params take. */
function inlineKinds(schema: JsonSchema): string[] {
  if (schema['x-node'] !== undefined) return [schema['x-node']];
  const inner = [
    ...Object.values(schema.properties ?? {}),
    ...Object.values(schema.patternProperties ?? {}),
    ...(schema.anyOf ?? []),
    ...(schema.prefixItems ?? []),
    ...(Array.isArray(schema.items) ? schema.items : typeof schema.items === 'object' ? [schema.items] : []),
  ];
  return inner.flatMap(inlineKinds);
}
