import type { Tree } from './located.ts';

/**
 * A place inside a document: keys and indices from its root, or the same as text: `nodes.loss.temperature`, or a JSON
 * pointer (RFC 6901) such as `/nodes/loss/temperature`, the form for keys that hold a dot.
 */
export type Path = string | readonly (string | number)[];

export function parsePath(path: Path): readonly string[] {
  if (typeof path !== 'string') return path.map(String);
  if (path === '') return [];
  if (!path.startsWith('/')) return path.split('.');
  return path
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Dotted where no key holds a dot, else a JSON pointer. */
export function formatPath(path: readonly (string | number)[]): string {
  const parts = path.map(String);
  const dotted = parts.every((part) => !part.includes('.')) && !parts[0]?.startsWith('/');
  if (dotted) return parts.join('.');
  return parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The member of a list or object; undefined when there is none. */
export function child(tree: Tree, key: string): Tree | undefined {
  if (tree.kind === 'dict') return tree.entries.get(key);
  return tree.kind === 'list' && /^(0|[1-9]\d*)$/.test(key) ? tree.items[Number(key)] : undefined;
}

/** The value at `path` and the deepest value on the way to it that exists. */
export function follow(tree: Tree, path: readonly string[]): { found?: Tree; deepest: Tree; depth: number } {
  let deepest = tree;
  for (const [depth, key] of path.entries()) {
    const next = child(deepest, key);
    if (next === undefined) return { deepest, depth };
    deepest = next;
  }
  return { found: deepest, deepest, depth: path.length };
}
