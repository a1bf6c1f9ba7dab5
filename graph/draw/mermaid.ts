/** A picture as Mermaid text: what GitHub and many editors draw by themselves. */
import type { Role } from '../node-type.ts';
import { COLORS, IDLE } from './colors.ts';
import type { Arrow, Box, Picture } from './picture.ts';

export function toMermaid(picture: Picture): string {
  const ids = new Map(picture.boxes.map(({ id }, i) => [id, `n${i}`]));
  const roles = [...new Set(picture.boxes.filter(({ idle }) => !idle).map(({ role }) => role))];
  const lines = [
    '---',
    `title: ${JSON.stringify(picture.title)}`,
    '---',
    ...picture.subtitle.map((line) => `%% ${line}`),
    'flowchart TB',
    ...laneLines(picture.boxes, ids, 0, '  ', { count: 0 }),
    ...picture.arrows.map((arrow) => arrowLine(arrow, ids)),
    ...roles.map((role) => `  classDef ${role} fill:${COLORS[role].fill},stroke:${COLORS[role].line},color:#1c2126`),
    ...roles.map((role) => classLine(role, picture.boxes, ids)),
    ...idleLines(picture.boxes, ids),
  ];
  return `${lines.join('\n')}\n`;
}

function laneLines(
  boxes: readonly Box[],
  ids: ReadonlyMap<string, string>,
  depth: number,
  indent: string,
  lanes: { count: number },
): string[] {
  const byLane = new Map<string | undefined, Box[]>();
  for (const box of boxes) byLane.set(box.lane[depth], [...(byLane.get(box.lane[depth]) ?? []), box]);
  return [...byLane].flatMap(([lane, inside]) => {
    if (lane === undefined) return inside.map((box) => `${indent}${ids.get(box.id)}["${text(box)}"]`);
    return [
      `${indent}subgraph lane${lanes.count++}["${lane}"]`,
      ...laneLines(inside, ids, depth + 1, `${indent}  `, lanes),
      `${indent}end`,
    ];
  });
}

function text(box: Box): string {
  const title = box.type ? `<b>${escaped(box.title)}</b> ${escaped(box.type)}` : `<b>${escaped(box.title)}</b>`;
  const rows = box.rows.map((row) => row.filter(Boolean).join(' '));
  const outputs = box.outputs.map((output) => `→ ${output}`);
  return [title, ...[...box.params, ...rows, ...box.costs, ...outputs].map(escaped)].join('<br/>');
}

const ARROWS: Readonly<Record<Arrow['kind'], string>> = { batch: '-->', side: '-->', sample: '-->', once: '-.->' };

function arrowLine({ from, to, label, kind }: Arrow, ids: ReadonlyMap<string, string>): string {
  return `  ${ids.get(from)} ${ARROWS[kind]}${label ? `|"${escaped(label)}"|` : ''} ${ids.get(to)}`;
}

function classLine(role: Role, boxes: readonly Box[], ids: ReadonlyMap<string, string>): string {
  const members = boxes.filter((box) => box.role === role && !box.idle).map(({ id }) => ids.get(id));
  return `  class ${members.join(',')} ${role}`;
}

function idleLines(boxes: readonly Box[], ids: ReadonlyMap<string, string>): string[] {
  const members = boxes.filter(({ idle }) => idle).map(({ id }) => ids.get(id));
  if (members.length === 0) return [];
  return [
    `  classDef idle fill:${IDLE.fill},stroke:${IDLE.line},color:#8a8f94,stroke-dasharray:4`,
    `  class ${members.join(',')} idle`,
  ];
}

/** Mermaid reads HTML entities by name or number, written with # */
function escaped(text: string): string {
  return text.replaceAll('#', '#35;').replaceAll('"', '#quot;').replaceAll('<', '#lt;').replaceAll('>', '#gt;');
}
