/** The reference pages: one per kind of node, written from the declarations. */
import { type Described, describePort, describeType, portsOf, properties } from './describe.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  rows.length === 0
    ? []
    : [
        `| ${header.join(' | ')} |`,
        `|${header.map(() => '---').join('|')}|`,
        ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
        '',
      ];

function section(declared: Described): string[] {
  const names = declared.aliases?.length
    ? [`Also known as ${declared.aliases.map((name) => `\`${name}\``).join(', ')}.`, '']
    : [];
  const presets = Object.entries(declared.presets ?? {}).flatMap(([name, params]) => [
    `\`${name}\` is this with \`${JSON.stringify(params)}\`.`,
    '',
  ]);
  const params = Object.entries(properties(declared)).map(([name, schema]) => [
    `\`${name}\``,
    describeType(schema),
    'default' in schema ? `\`${JSON.stringify(schema.default)}\`` : '',
    schema.description ?? '',
  ]);
  const ports = (['inputs', 'outputs'] as const).flatMap((side) =>
    Object.entries(portsOf(declared, side)).map(([name, port]) => [
      side === 'inputs' ? 'in' : 'out',
      `\`${name}\``,
      describePort(port),
    ]),
  );
  return [
    `## ${declared.type}`,
    declared.description,
    '',
    ...names,
    ...presets,
    ...table(['param', 'type', 'default', 'meaning'], params),
    ...table(['', 'port', 'carries'], ports),
  ];
}

/** Page name → Markdown. One page per kind, and an index. */
export function referencePages(types: readonly Described[]): ReadonlyMap<string, string> {
  const kinds = new Map<string, Described[]>();
  for (const declared of [...types].sort((a, b) => (a.type < b.type ? -1 : 1))) {
    const kind = declared.type.slice(0, declared.type.indexOf('/'));
    kinds.set(kind, [...(kinds.get(kind) ?? []), declared]);
  }
  const pages = new Map<string, string>();
  const index = ['# Node types', '', 'Generated from the node files. `pipe nodes describe TYPE` prints the same.', ''];
  for (const [kind, declared] of kinds) {
    index.push(
      `## [${kind}](${kind}.md)`,
      ...declared.map(({ type, description }) => `- \`${type}\`: ${description}`),
      '',
    );
    pages.set(`${kind}.md`, `${[`# ${kind}`, '', ...declared.flatMap(section)].join('\n').trimEnd()}\n`);
  }
  pages.set('README.md', `${index.join('\n').trimEnd()}\n`);
  return pages;
}
