/** A node type in words: params with types and bounds, ports with shapes. Help, the reference pages and the scaffold read it. */
import type { Declared, Ports, Role } from './node-type.ts';
import type { PortType } from './port.ts';

/** A node type, or a form that stands for nodes. */
export type Described = Declared<any> & { readonly role: Role };

/** Ports that depend on params are shown as they are with the defaults. */
export function portsOf(declared: Described, side: 'inputs' | 'outputs'): Ports {
  const value = declared[side];
  if (typeof value !== 'function') return value ?? {};
  try {
    return value(defaults(declared));
  } catch {
    return {};
  }
}

const defaults = (declared: Described): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(properties(declared))
      .filter(([, schema]) => 'default' in schema)
      .map(([name, schema]) => [name, schema.default]),
  );

export interface ParamSchema {
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly [keyword: string]: unknown;
}

export const properties = (declared: Described): Record<string, ParamSchema> =>
  declared.params.properties as Record<string, ParamSchema>;

/** "number ≥ 0, default 0.1" */
export function describeType(schema: ParamSchema): string {
  const alternatives = (schema.anyOf ?? schema.oneOf) as readonly ParamSchema[] | undefined;
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
  if ('x-node' in schema) {
    const number = schema['x-number'] ? `${['number', ...bounds].join(' ')}, or ` : '';
    return `${number}an inline ${schema['x-node']}`;
  }
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
