import type { Json, JsonObject } from './located.ts';
import { SECTIONS } from './structure.ts';

const WIDTH = 100;

/**
 * A document as plain JSON text that is stable to diff: sections in their own order, other keys in the order given,
 * two spaces of indent, lists without objects in one line where they fit, a newline at the end.
 */
export function canonical(document: JsonObject): string {
  const ordered: JsonObject = {};
  for (const key of SECTIONS) if (document[key] !== undefined) ordered[key] = document[key];
  for (const key of Object.keys(document)) if (document[key] !== undefined) ordered[key] = document[key];
  return `${write(ordered, '', 0)}\n`;
}

/** @param used columns already taken in the value's first line */
function write(value: Json, indent: string, used: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const line = value.some(holdsObject) ? undefined : toJson(value);
    if (line !== undefined && used + line.length <= WIDTH) return line;
    return `[\n${value.map((item) => inner + write(item, inner, inner.length)).join(',\n')}\n${indent}]`;
  }
  const members = Object.entries(value).filter(([, item]) => item !== undefined);
  if (members.length === 0) return '{}';
  const lines = members.map(([key, item]) => {
    const start = `${inner}${JSON.stringify(key)}: `;
    return start + write(item, inner, start.length);
  });
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

function holdsObject(value: Json): boolean {
  return Array.isArray(value) ? value.some(holdsObject) : typeof value === 'object' && value !== null;
}

/** JSON in one line, with a space after commas and colons. */
export function toJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(toJson).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${toJson(item)}`);
  return members.length ? `{ ${members.join(', ')} }` : '{}';
}
