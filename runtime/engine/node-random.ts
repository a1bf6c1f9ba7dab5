/**
 * A node's randomness in the rank. Each draw depends on seed, node name, phase, and the batch: the stream begins anew
 * with every batch, so that a resumed run draws what the uninterrupted one would have drawn.
 */
import { createRandom, type Random } from '../random.ts';

export interface NodeRandom extends Random {
  /** From now on draw from the stream of this moment. */
  moment(...path: (string | number)[]): void;
}

export function createNodeRandom(seed: number, node: string): NodeRandom {
  const own = createRandom(seed, 'node', node);
  let current = own.fork('create');
  return {
    moment(...path) {
      current = own.fork(...path);
    },
    next: () => current.next(),
    uniform: (a, b) => current.uniform(a, b),
    normal: () => current.normal(),
    integer: (n) => current.integer(n),
    permutation: (n) => current.permutation(n),
    fork: (...path) => current.fork(...path),
  };
}
