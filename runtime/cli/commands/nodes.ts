/** `pipe nodes`: what node types there are, and one of them in full, read from its declaration. */
import { type Described, describePort, describeType, portsOf, properties } from '../../../graph/describe.ts';
import { FORMS } from '../../../graph/forms.ts';
import { openRegistry } from '../../pipeline/registry.ts';
import { WrongRequest } from '../../pipeline/wrong-request.ts';

interface Options {
  readonly plugin?: readonly string[];
  readonly json?: boolean;
}

export async function list(kind: string | undefined, options: Options): Promise<void> {
  const registry = await openRegistry(options.plugin);
  const entries = registry.listWithForms(kind);
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
  const declared = FORMS.find(({ type }) => type === name) ?? (await registry.load([name])).get(name);
  if (!declared) {
    throw new WrongRequest([
      { layer: 'schema', message: `"${name}" is not a node type`, cure: registry.suggest(name) },
    ]);
  }
  process.stdout.write(options.json ? `${JSON.stringify(asJson(declared), null, 2)}\n` : asText(declared));
}

const asJson = (declared: Described): unknown => ({
  type: declared.type,
  role: declared.role,
  description: declared.description,
  aliases: declared.aliases ?? [],
  presets: declared.presets ?? {},
  params: declared.params,
  inputs: portsOf(declared, 'inputs'),
  outputs: portsOf(declared, 'outputs'),
});

function asText(declared: Described): string {
  const lines = [`${declared.type}  (${declared.role})`, declared.description];
  if (declared.aliases?.length) lines.push(`also known as: ${declared.aliases.join(', ')}`);
  for (const [preset, params] of Object.entries(declared.presets ?? {}))
    lines.push(`${preset} is this with ${JSON.stringify(params)}`);
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
      Object.entries(portsOf(declared, side)).map(([name, port]) => [name, describePort(port)]),
    );
  return `${lines.join('\n')}\n`;
}
