/** A picture as Graphviz DOT. */
import { COLORS, IDLE } from './colors.ts';
import type { Arrow, Box, Picture } from './picture.ts';

/** What a reader's Graphviz measures and shows. */
const FONT = 'Helvetica,Arial,sans-serif';
const MUTED = '#5a6570';

/** @param font what boxes are measured with */
export function toDot(picture: Picture, font = FONT): string {
  const lines = [
    'digraph pipeline {',
    `  graph [label=<${title(picture)}> labelloc=t labeljust=l fontname="${font}" fontsize=11 rankdir=TB nodesep=0.35 ranksep=0.45 pad=0.25 newrank=true]`,
    `  node [shape=plain fontname="${font}" fontsize=11]`,
    `  edge [fontname="${font}" fontsize=9 fontcolor="${MUTED}" color="#7a8691" arrowsize=0.7]`,
    ...laneLines(picture.boxes, 0, '  ', { count: 0 }),
    ...picture.arrows.map(arrowLine),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

function title({ title, subtitle }: Picture): string {
  const below = subtitle.map((line) => `<font color="${MUTED}">${escaped(line)}</font><br align="left"/>`).join('');
  return `<b><font point-size="15">${escaped(title)}</font></b><br align="left"/><font point-size="4"> </font><br align="left"/>${below}`;
}

/** Boxes that share a lane stand in one cluster; lanes nest. */
function laneLines(boxes: readonly Box[], depth: number, indent: string, clusters: { count: number }): string[] {
  const lanes = new Map<string | undefined, Box[]>();
  for (const box of boxes) {
    const lane = box.lane[depth];
    lanes.set(lane, [...(lanes.get(lane) ?? []), box]);
  }
  return [...lanes].flatMap(([lane, inside]) => {
    if (lane === undefined) return inside.map((box) => `${indent}${quoted(box.id)} [label=<${table(box)}>]`);
    return [
      `${indent}subgraph cluster_${clusters.count++} {`,
      `${indent}  graph [label="${lane}" labelloc=t labeljust=l fontsize=10 fontcolor="${MUTED}" style="rounded" color="#c9d1d8" bgcolor="#fbfcfd" margin=10]`,
      ...laneLines(inside, depth + 1, `${indent}  `, clusters),
      `${indent}}`,
    ];
  });
}

function table(box: Box): string {
  const { fill, line } = box.idle ? IDLE : COLORS[box.role];
  const columns = Math.max(1, ...box.rows.map((row) => row.length));
  const cell = (text: string) => `<tr><td align="left" colspan="${columns}">${text}</td></tr>`;
  const muted = (text: string) => cell(`<font color="${MUTED}">${escaped(text)}</font>`);
  const type = box.type ? `   <font color="${line}" point-size="10">${escaped(box.type)}</font>` : '';
  const rows = [
    cell(`<b>${escaped(box.title)}</b>${type}`),
    ...box.params.map((text) => cell(escaped(text))),
    ...box.rows.map((row) => `<tr>${row.map((text) => rowCell(text)).join('')}</tr>`),
    ...box.costs.map(muted),
    ...box.outputs.map((text) => cell(`<font point-size="10">→ ${escaped(text)}</font>`)),
  ];
  const attributes = `border="1" cellborder="0" cellspacing="0" cellpadding="3" style="rounded${box.idle ? ',dashed' : ''}"`;
  return `<table ${attributes} color="${line}" bgcolor="${fill}">${rows.join('')}</table>`;
}

/** cells may not be empty */
function rowCell(text: string): string {
  return `<td align="left"><font point-size="10">${escaped(text) || ' '}</font></td>`;
}

const STYLES: Readonly<Record<Arrow['kind'], string>> = {
  batch: 'penwidth=1.3',
  side: 'color="#b3bcc4"',
  sample: 'penwidth=1.3 color="#4c9a8b"',
  once: 'style=dashed color="#b07d1a"',
};

function arrowLine({ from, to, label, kind }: Arrow): string {
  const text = label ? `label=" ${label} " ` : '';
  return `  ${quoted(from)} -> ${quoted(to)} [${text}${STYLES[kind]}]`;
}

function quoted(id: string): string {
  return `"${id.replaceAll('"', '\\"')}"`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
