import type { Dict } from './located.ts';
import { withEntry } from './located.ts';
import type { Mistakes } from './mistakes.ts';

/** The version of the document language that this code writes. */
export const FORMAT = 1;

/** Turns a document of one format into the next one's; leaves `format` alone. */
export type Upgrade = (document: Dict) => Dict;

/** By the format they start from. */
const UPGRADES: Readonly<Record<number, Upgrade>> = {};

/** A document of any known format → the current one, without its `format` key. No key means the current format. */
export function upgrade(
  document: Dict,
  mistakes: Mistakes,
  upgrades: Readonly<Record<number, Upgrade>> = UPGRADES,
  current: number = FORMAT,
): Dict {
  const stated = document.entries.get('format');
  if (!stated) return document;
  const format = stated.kind === 'scalar' ? stated.value : undefined;
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1) {
    mistakes.add(stated, 'format', 'is not a whole number from 1 up', `Write ${current}, or leave it out`);
    return document;
  }
  if (format > current) {
    const message = `the document is in format ${format}, this version of Pipe reads up to ${current}`;
    mistakes.add(stated, 'format', message, 'Update Pipe');
    return document;
  }
  let upgraded = document;
  for (let from = format; from < current; from++) upgraded = upgrades[from]?.(upgraded) ?? upgraded;
  return withEntry(upgraded, 'format', undefined);
}
