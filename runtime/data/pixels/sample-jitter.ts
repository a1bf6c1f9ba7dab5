import type { Random } from '../../random.ts';

type Draws = Pick<Random, 'uniform' | 'permutation'>;
type Range = readonly [low: number, high: number];

/** In torchvision's order: the positions that a permutation permutes. */
const OPERATIONS = ['brightness', 'contrast', 'saturation', 'hue'] as const;

export interface JitterOperation {
  readonly operation: (typeof OPERATIONS)[number];
  readonly factor: number;
}

/** Ranges of factors; null: the operation is left out. */
export type JitterRanges = Readonly<Record<(typeof OPERATIONS)[number], Range | null>>;

/** As torchvision's ColorJitter takes them: a strength, or a range of factors. Default 0: left out. */
export type JitterStrengths = Partial<Readonly<Record<(typeof OPERATIONS)[number], number | Range>>>;

/**
 * A strength x means factors from max(0, 1 - x) to 1 + x; for hue from -x to x, at most 0.5. A range of the one factor
 * that changes nothing leaves the operation out. Throws a RangeError that names the operation.
 */
export function jitterRanges(strengths: JitterStrengths): JitterRanges {
  const range = (name: (typeof OPERATIONS)[number]): Range | null => {
    const value = strengths[name] ?? 0;
    const [neutral, lowest, highest] = name === 'hue' ? [0, -0.5, 0.5] : [1, 0, Number.POSITIVE_INFINITY];
    if (typeof value === 'number' && !(value >= 0)) throw new RangeError(`${name} ${value}: a strength is at least 0`);
    const low = typeof value === 'number' ? neutral - value : value[0];
    const high = typeof value === 'number' ? neutral + value : value[1];
    // a strength above 1 stops at black; a hue beyond half a turn is an error
    const first = typeof value === 'number' && name !== 'hue' ? Math.max(0, low) : low;
    if (!(lowest <= first && first <= high && high <= highest)) {
      throw new RangeError(`${name} from ${first} to ${high}: expected a range within ${lowest} to ${highest}`);
    }
    return first === neutral && high === neutral ? null : [first, high];
  };
  return {
    brightness: range('brightness'),
    contrast: range('contrast'),
    saturation: range('saturation'),
    hue: range('hue'),
  };
}

/** Ranges of VISSL's colour distortion of strength s: brightness, contrast and saturation 0.8 s, hue 0.2 s. */
export function distortionRanges(strength: number): JitterRanges {
  const x = 0.8 * strength;
  return jitterRanges({ brightness: x, contrast: x, saturation: x, hue: 0.2 * strength });
}

/** Draws the order, then one factor per operation that is not left out, as torchvision's ColorJitter. */
export function sampleColorJitter(random: Draws, ranges: JitterRanges): JitterOperation[] {
  const order = random.permutation(OPERATIONS.length);
  const factors = OPERATIONS.map((name) => {
    const range = ranges[name];
    return range && random.uniform(range[0], range[1]);
  });
  return Array.from(order).flatMap((position) => {
    const factor = factors[position];
    return factor === null ? [] : [{ operation: OPERATIONS[position], factor }];
  });
}
