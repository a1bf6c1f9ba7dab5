/** Which images a rank sees in an epoch, and in which order. */

/**
 * distributed: every rank takes each `ranks`-th entry of one order over all images (PyTorch's DistributedSampler).
 * stateful: each rank owns a contiguous block and orders it (VISSL's StatefulDistributedSampler); the last
 * `length mod ranks` images are never used.
 */
export type SamplerKind = 'distributed' | 'stateful';

export interface SamplerOptions {
  readonly kind: SamplerKind;
  /** images in the dataset */
  readonly length: number;
  readonly rank: number;
  readonly ranks: number;
  /** distributed, when the ranks do not divide the length: repeat images from the front (default), or drop the rest */
  readonly uneven?: 'repeat' | 'drop';
}

export interface Sampler {
  /** images of this rank in one epoch */
  readonly length: number;
  /** how many integers `at` needs permuted to shuffle */
  readonly permuted: number;
  /** dataset index at a position of the epoch; without a permutation the natural order */
  at(position: number, permutation?: Uint32Array): number;
}

/** Resuming needs no state: position `startStep · batchSize` continues the same order. */
export function createSampler(options: SamplerOptions): Sampler {
  const { kind, length, rank, ranks, uneven = 'repeat' } = options;
  if (!(Number.isInteger(ranks) && ranks >= 1 && Number.isInteger(rank) && rank >= 0 && rank < ranks)) {
    throw new RangeError(`rank ${rank} of ${ranks}: expected a whole number from 0 to ranks - 1`);
  }
  if (kind === 'stateful') {
    const own = Math.floor(length / ranks);
    return {
      length: own,
      permuted: own,
      at: (position, permutation) => rank * own + (permutation ? permutation[position] : position),
    };
  }
  return {
    length: uneven === 'repeat' ? Math.ceil(length / ranks) : Math.floor(length / ranks),
    permuted: length,
    at: (position, permutation) => {
      const entry = (rank + position * ranks) % length;
      return permutation ? permutation[entry] : entry;
    },
  };
}

/** Batches of one epoch. */
export function stepsPerEpoch(images: number, batchSize: number, dropLast: boolean): number {
  return dropLast ? Math.floor(images / batchSize) : Math.ceil(images / batchSize);
}
