import { floatText } from './number-text.ts';

/**
 * JSON text as Python's json.dump writes it by default: ", " and ": " between parts, all but printable ASCII escaped, no
 * line end. Keys whose value is undefined are left out. Throws a TypeError that names the place of what JSON cannot hold
 * (NaN and infinities among it, which Python writes though no other reader takes them).
 */
export function jsonText(value: unknown, where = 'the value'): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return jsonString(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${where} is ${value}, which JSON has no word for. Use null.`);
    return Number.isSafeInteger(value) ? String(value) : floatText(value);
  }
  if (Array.isArray(value)) return `[${value.map((item, i) => jsonText(item, `${where}[${i}]`)).join(', ')}]`;
  if (typeof value !== 'object') throw new TypeError(`${where} is a ${typeof value}, which JSON has no word for`);
  const parts = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${jsonString(key)}: ${jsonText(item, `${where}.${key}`)}`);
  return `{${parts.join(', ')}}`;
}

const jsonString = (text: string): string =>
  JSON.stringify(text).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
