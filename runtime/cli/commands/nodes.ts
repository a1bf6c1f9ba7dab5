/** `pipe nodes`: what node types there are, and one of them in full, read from its declaration. */
import type { NodeDeclaration, Ports } from '../../../graph/node-type.ts';
import type { PortType } from '../../../graph/port.ts';
import { WrongRequest } from '../output.ts';
import { openRegistry } from '../registry.ts';

interface Options {
  readonly plugin?: readonly string[];
  readonly json?: boolean;
}

export async function list(kind: string | undefined, options: Options): Promise<void> {
  const registry = await openRegistry(options.plugin);
  const entries = registry.list(kind);
  if (entries.length === 0) {
    throw new WrongRequest([
      { layer: 'schema', message: `there are no node types of kind "${kind}"`, cure: registry.suggest(kind ?? '') },
    ]);
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify(entries, null, 2)}\n`);
    return;
  }
  const width = Math.max(...entries.map(({ type }) => type.length));
  for (const { type, description } of entries) process.stdout.write(`${type.padEnd(width)}  ${description}\n`);
}

export async function describe(name: string, options: Options): Promise<void> {
  const registry = await openRegistry(options.plugin);
  const declared = (await registry.load([name])).get(name);
  if (!declared) {
    throw new WrongRequest([
      { layer: 'schema', message: `"${name}" is not a node type`, cure: registry.suggest(name) },
    ]);
  }
  process.stdout.write(options.json ? `${JSON.stringify(asJson(declared), null, 2)}\n` : asText(declared));
}

/** Ports that depend on params are shown as they are with the defaults. */
function ports(declared: NodeDeclaration, side: 'inputs' | 'outputs'): Ports {
  const value = declared[side];
  if (typeof value !== 'function') return value ?? {};
  try {
    return value(defaults(declared));
  } catch {
    return {};
  }
}

const defaults = (declared: NodeDeclaration): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(properties(declared))
      .filter(([, schema]) => 'default' in schema)
      .map(([name, schema]) => [name, schema.default]),
  );

interface ParamSchema {
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly [keyword: string]: unknown;
}

const properties = (declared: NodeDeclaration): Record<string, ParamSchema> =>
  declared.params.properties as Record<string, ParamSchema>;

const asJson = (declared: NodeDeclaration): unknown => ({
  type: declared.type,
  role: declared.role,
  description: declared.description,
  aliases: declared.aliases ?? [],
  params: declared.params,
  inputs: ports(declared, 'inputs'),
  outputs: ports(declared, 'outputs'),
});

/** "number ≥ 0, default 0.1" */
export function describeType(schema: ParamSchema): string {
  const alternatives = (schema.anyOf ?? schema.oneOf) as readonly ParamSchema[] | undefined;
  if ('x-node' in schema) return `${schema['x-number'] ? 'number, or ' : ''}an inline ${schema['x-node']}`;
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return (schema.enum as unknown[]).map((value) => JSON.stringify(value)).join(' | ');
  if (alternatives) return alternatives.map(describeType).join(' | ');
  if (schema.type === 'array') {
    const items = schema.items as ParamSchema | readonly ParamSchema[] | undefined;
    if (Array.isArray(items)) return `[${items.map(describeType).join(', ')}]`;
    return `list of ${items ? describeType(items as ParamSchema) : 'values'}`;
  }
  const bounds = [
    ['minimum', '≥'],
    ['exclusiveMinimum', '>'],
    ['maximum', '≤'],
    ['exclusiveMaximum', '<'],
  ].flatMap(([key = '', sign]) => (key in schema ? [`${sign} ${schema[key]}`] : []));
  return [schema.type ?? 'any', ...bounds].join(' ');
}

export const describePort = (port: PortType): string =>
  [
    port.rate,
    port.list ? `list of ${port.kind}` : port.kind,
    port.dtype ?? '',
    port.shape ? `[${port.shape.join(', ')}]` : '',
    port.optional ? '(optional)' : '',
    port.description ? `— ${port.description}` : '',
  ]
    .filter(Boolean)
    .join(' ');

function asText(declared: NodeDeclaration): string {
  const lines = [`${declared.type}  (${declared.role})`, declared.description];
  if (declared.aliases?.length) lines.push(`also known as: ${declared.aliases.join(', ')}`);
  const required = new Set((declared.params.required as readonly string[] | undefined) ?? []);
  const section = (title: string, rows: readonly (readonly [string, string])[]): void => {
    if (rows.length === 0) return;
    const width = Math.max(...rows.map(([name]) => name.length));
    lines.push('', title, ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`));
  };
  section(
    'params',
    Object.entries(properties(declared)).map(([name, schema]) => {
      const value = 'default' in schema ? `, default ${JSON.stringify(schema.default)}` : '';
      const must = required.has(name) && !('default' in schema) ? ', required' : '';
      return [name, `${describeType(schema)}${value}${must}  ${schema.description ?? ''}`];
    }),
  );
  for (const side of ['inputs', 'outputs'] as const)
    section(
      side,
      Object.entries(ports(declared, side)).map(([name, port]) => [name, describePort(port)]),
    );
  return `${lines.join('\n')}\n`;
}
