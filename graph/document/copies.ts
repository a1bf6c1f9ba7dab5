import { didYouMean } from '../problem.ts';
import { copyNodes } from './copy.ts';
import type { Dict } from './located.ts';
import type { Mistakes } from './mistakes.ts';

/** A copy as it is written, and the names in its `of`. */
export interface WrittenCopy {
  readonly node: Dict;
  readonly of: readonly string[];
}

/**
 * The nodes that a copy copies, chains, graphs and other copies taken apart; none for one that copies itself.
 * @param members of a chain or graph; undefined for a node
 */
export function copiedBy(
  name: string,
  copies: ReadonlyMap<string, WrittenCopy>,
  members: (name: string) => readonly string[] | undefined,
): readonly string[] {
  const visit = (of: readonly string[], trail: readonly string[]): readonly string[] =>
    of.flatMap((wanted): readonly string[] => {
      if (trail.includes(wanted)) return [];
      const inner = [...trail, wanted];
      const copy = copies.get(wanted);
      if (copy) return visit(copy.of, inner).map((member) => `${wanted}/${member}`);
      const group = members(wanted);
      return group ? visit(group, inner) : [wanted];
    });
  return visit(copies.get(name)!.of, [name]);
}

export interface CopyContext {
  readonly copies: ReadonlyMap<string, WrittenCopy>;
  /** `copiedBy` of a copy */
  readonly copied: (name: string) => readonly string[];
  /** with references resolved */
  readonly rewire: (name: string, node: Dict) => Dict;
  readonly isFree: (name: string, node: Dict) => boolean;
  /** names that may have been meant */
  readonly known: () => Iterable<string>;
  readonly mistakes: Mistakes;
}

/** Adds the copies to the nodes, each after those that it copies. */
export function addCopies(nodes: Map<string, Dict>, context: CopyContext): void {
  const { copies, copied, mistakes } = context;
  const waiting = new Set(copies.keys());
  const add = (name: string): void => {
    if (!waiting.delete(name)) return;
    const { node, of } = copies.get(name)!;
    const wanted = copied(name);
    for (const other of copies.keys()) if (wanted.some((member) => member.startsWith(`${other}/`))) add(other);
    const at = node.entries.get('of');
    const originals = new Map<string, Dict>();
    for (const member of wanted) {
      const original = nodes.get(member);
      if (original) originals.set(member, original);
      else {
        const others = [...context.known()].filter((other) => other !== name);
        mistakes.of('wiring').add(at, `${name}.of`, `there is no node "${member}"`, didYouMean(member, others));
      }
    }
    if (of.length > 0 && wanted.length === 0)
      mistakes.of('wiring').add(at, `${name}.of`, 'it copies itself', 'Name other nodes in "of"');
    for (const [member, copy] of copyNodes(name, context.rewire(name, node), originals, mistakes)) {
      if (context.isFree(member, copy)) nodes.set(member, copy);
    }
  };
  for (const name of copies.keys()) add(name);
}
