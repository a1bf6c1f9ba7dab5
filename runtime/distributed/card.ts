/** What a rank tells the others of itself so that they find it. It comes from outside: anyone may have written it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a rank listens for the others. */
export interface Card {
  readonly rank: number;
  readonly size: number;
  readonly port: number;
  readonly address: string;
  /** host name and boot: equal on one machine */
  readonly machine: string;
  readonly host: string;
  readonly pid: number;
  /** random: a card of an earlier run is not taken for this one's */
  readonly nonce: string;
}

const FIELDS = {
  rank: 'number',
  size: 'number',
  port: 'number',
  address: 'string',
  machine: 'string',
  host: 'string',
  pid: 'number',
  nonce: 'string',
} as const satisfies Record<keyof Card, string>;

/** The object that a line of text says; undefined: it says none. */
export function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** @returns undefined when the text is no card */
export function readCard(text: string): Card | undefined {
  const card = objectOf(text);
  if (!card) return undefined;
  const { rank, size, port } = card;
  const complete = Object.entries(FIELDS).every(([field, type]) => typeof card[field] === type);
  const possible = within(size, 1, Infinity) && within(rank, 0, (size as number) - 1) && within(port, 1, 65535);
  return complete && possible ? (card as unknown as Card) : undefined;
}

/** The card that a rank of such a group has left in a folder. */
export async function cardIn(folder: string, rank: number, size: number): Promise<Card | undefined> {
  const card = readCard(await readFile(cardPath(folder, rank), 'utf8').catch(() => ''));
  return card?.rank === rank && card.size === size ? card : undefined;
}

export const cardPath = (folder: string, rank: number): string => join(folder, `rank-${rank}`);

const within = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
