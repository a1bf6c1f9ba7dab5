/** Nodes of other kinds written inline in params: {"schedule": "cosine", …}, {"optimizer": "sgd", …}. */
import type { NodeDeclaration } from '../../graph/node-type.ts';

/** What is needed of the registry. */
export interface TypeLoader {
  load(names: Iterable<string>): Promise<Map<string, NodeDeclaration>>;
}

/** Types of the inline nodes of a kind anywhere in these params. */
export function inlineTypes(kind: string, params: unknown, found = new Set<string>()): Set<string> {
  if (typeof params !== 'object' || params === null) return found;
  const name = (params as Readonly<Record<string, unknown>>)[kind];
  if (typeof name === 'string') found.add(inlineType(kind, name));
  for (const part of Object.values(params)) inlineTypes(kind, part, found);
  return found;
}

/** "cosine" → "schedule/cosine" */
export const inlineType = (kind: string, name: string): string => (name.includes('/') ? name : `${kind}/${name}`);
