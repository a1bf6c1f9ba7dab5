/** Numbers, params and shapes as short text for a drawing. */
import { formatShape, size } from '../dim.ts';
import type { NodeDeclaration } from '../node-type.ts';
import type { PortValue, Shape } from '../port.ts';

/** 23508032 → "23.5 M"; three digits that count. */
export function short(n: number): string {
  const units = ['', ' k', ' M', ' G', ' T', ' P'];
  let unit = 0;
  let value = n;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))}${units[unit]}`;
}

/** At most `length` characters. */
export function clipped(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** 0.000001 → "1e-6" */
function formatNumber(n: number): string {
  return n !== 0 && Math.abs(n) < 1e-3 ? n.toExponential() : String(n);
}

/**
 * [2, 6] → "2, 6"; [[0.14, 1], [0.05, 0.14]] → "[0.14, 1], [0.05, 0.14]". Inline nodes by name, what they hold or where
 * they begin and end: "cosine 0.6 → 0", "composite: linear 0.3 → 4.8, then cosine 4.8 → 0".
 */
export function formatParam(value: unknown): string {
  if (typeof value === 'number') return formatNumber(value);
  if (Array.isArray(value)) {
    return value.map((item) => (Array.isArray(item) ? `[${formatParam(item)}]` : formatParam(item))).join(', ');
  }
  if (typeof value !== 'object' || value === null) return String(value);
  const [first, ...rest] = Object.entries(value);
  if (!first) return '{}';
  const [, name] = first;
  if (typeof name !== 'string')
    return `{${[first, ...rest].map(([key, item]) => `${key} ${formatParam(item)}`).join(', ')}}`;
  const inner = rest.map(([, item]) => item).find((item) => Array.isArray(item) && typeof item[0] === 'object');
  if (inner) return `${name}: ${(inner as unknown[]).map(formatParam).join(', then ')}`;
  const { start, end } = value as { start?: unknown; end?: unknown };
  if (start !== undefined && end !== undefined) return `${name} ${formatParam(start)} → ${formatParam(end)}`;
  return rest.length > 0 ? `${name} (${rest.map(([key, item]) => `${key} ${formatParam(item)}`).join(', ')})` : name;
}

/** Params worth showing: the first of the type's `show`, and those of it that are not at their default. */
export function shownParams(declared: NodeDeclaration, params: Readonly<Record<string, unknown>>): string[] {
  return (declared.show ?? []).flatMap((key: string, i: number) => {
    const value = params[key];
    const usual = declared.params.properties[key]?.default;
    if (value === undefined || (i > 0 && JSON.stringify(value) === JSON.stringify(usual))) return [];
    return [clipped(`${key} ${formatParam(value)}`, 64)];
  });
}

/** Words in lines of at most `width` characters, broken at the separator. */
export function wrapped(words: readonly string[], width: number, separator = ', '): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + separator.length + word.length <= width) {
      lines[lines.length - 1] = `${last}${separator}${word}`;
    } else lines.push(word);
  }
  return lines;
}

/** "2·64×224×224×3, 6·64×96×96×3"; for samples "2 of 224×224, 6 of 96×96". Undefined when nothing is known. */
export function formatValue(value: PortValue): string | undefined {
  if (value.kind === 'sample') return value.sample && formatViews(value.sample.views);
  if (!value.shapes || value.shapes.length === 0) return undefined;
  const shown = value.shapes.map(readable);
  return shown.length <= 4 ? shown.join(', ') : `${shown.slice(0, 3).join(', ')}, … ${shown.length} in all`;
}

/** Sizes known only when the run begins are shown without the node's name: "bank.M×512" → "M×512". */
function readable(shape: Shape): string {
  return formatShape(shape.map((dim) => dim.map((n) => (typeof n === 'string' ? n.slice(n.lastIndexOf('.') + 1) : n))));
}

function formatViews(views: readonly Shape[]): string | undefined {
  const counts = new Map<string, number>();
  for (const view of views) {
    const sides = view.slice(0, 2);
    const known = sides.every((side) => size(side) !== undefined);
    const text = known ? formatShape(sides) : 'any size';
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  if (counts.size === 1 && counts.has('any size'))
    return views.length === 1 ? undefined : `${views.length} of any size`;
  return [...counts].map(([text, count]) => (views.length === 1 ? text : `${count} of ${text}`)).join(', ');
}
