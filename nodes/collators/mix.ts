/** How CutMix and MixUp blend a batch: which share of each image, and which box. Draws in the order of timm's Mixup. */
import type { Random } from '../../runtime/random.ts';
import { sampleBeta } from './beta.ts';

export interface MixOptions {
  /** parameter of MixUp's beta distribution; 0: no MixUp (Zhang et al. 2017, arXiv:1710.09412) */
  readonly mixup_alpha: number;
  /** parameter of CutMix's beta distribution; 0: no CutMix (Yun et al. 2019, arXiv:1905.04899) */
  readonly cutmix_alpha: number;
  /** range of the box's sides as shares of the picture's, instead of a share of the area */
  readonly cutmix_minmax?: readonly [number, number];
  /** probability of mixing */
  readonly prob: number;
  /** probability of CutMix where both are on */
  readonly switch_prob: number;
  readonly mode: 'batch' | 'pair' | 'elem';
  /** use the share of the area that the box really has, after it is cut off at the border */
  readonly correct_lam: boolean;
}

/** Draws as numpy makes them. */
export interface MixDraws {
  uniform(count: number): ArrayLike<number>;
  beta(alpha: number, count: number): ArrayLike<number>;
  /** from low to high - 1 */
  integer(low: number, high: number): number;
}

interface Choice {
  /** share of the image itself */
  readonly share: number;
  readonly cut: boolean;
}

interface Box {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export const drawsOf = (random: Random): MixDraws => ({
  uniform: (count) => Float64Array.from({ length: count }, () => random.next()),
  beta: (alpha, count) => Float64Array.from({ length: count }, () => sampleBeta(random, alpha, alpha)),
  integer: (low, high) => low + random.integer(Math.max(1, high - low)),
});

/** CutMix by box sizes has no share of its own, but draws one. */
const cutAlpha = ({ cutmix_alpha, cutmix_minmax }: MixOptions) => (cutmix_minmax ? 1 : cutmix_alpha);

function chooseOne(options: MixOptions, draws: MixDraws): Choice {
  const { mixup_alpha, prob, switch_prob } = options;
  const cutmix = cutAlpha(options);
  if (!(draws.uniform(1)[0] < prob)) return { share: 1, cut: false };
  const cut = mixup_alpha > 0 && cutmix > 0 ? draws.uniform(1)[0] < switch_prob : cutmix > 0;
  return { share: draws.beta(cut ? cutmix : mixup_alpha, 1)[0], cut };
}

function chooseEach(options: MixOptions, count: number, draws: MixDraws): Choice[] {
  const { mixup_alpha, prob, switch_prob } = options;
  const cutmix = cutAlpha(options);
  const both = mixup_alpha > 0 && cutmix > 0;
  const switches = both ? draws.uniform(count) : undefined;
  const cutShares = cutmix > 0 ? draws.beta(cutmix, count) : undefined;
  const mixShares = mixup_alpha > 0 ? draws.beta(mixup_alpha, count) : undefined;
  const chances = draws.uniform(count);
  return Array.from({ length: count }, (_, i) => {
    const cut = switches ? switches[i] < switch_prob : cutmix > 0;
    return { share: chances[i] < prob ? (cut ? cutShares! : mixShares!)[i] : 1, cut };
  });
}

/** The box of another image, and the share that is left. */
function cutBox(options: MixOptions, height: number, width: number, share: number, draws: MixDraws) {
  const box = options.cutmix_minmax
    ? boxBySides(options.cutmix_minmax, height, width, draws)
    : boxByShare(height, width, share, draws);
  const corrected = options.correct_lam || options.cutmix_minmax !== undefined;
  const area = (box.bottom - box.top) * (box.right - box.left);
  return { box, share: corrected ? 1 - area / (height * width) : share };
}

function boxByShare(height: number, width: number, share: number, draws: MixDraws): Box {
  const side = Math.sqrt(1 - share);
  const h = Math.floor(Math.trunc(height * side) / 2);
  const w = Math.floor(Math.trunc(width * side) / 2);
  const y = draws.integer(0, height);
  const x = draws.integer(0, width);
  return {
    top: Math.max(0, y - h),
    bottom: Math.min(height, y + h),
    left: Math.max(0, x - w),
    right: Math.min(width, x + w),
  };
}

function boxBySides([least, most]: readonly [number, number], height: number, width: number, draws: MixDraws): Box {
  const h = draws.integer(Math.trunc(height * least), Math.trunc(height * most));
  const w = draws.integer(Math.trunc(width * least), Math.trunc(width * most));
  const top = draws.integer(0, height - h);
  const left = draws.integer(0, width - w);
  return { top, bottom: top + h, left, right: left + w };
}

/**
 * Mixes each of `count` images of height × width × channels with the image at the same place from the end, in place.
 * Returns the share of itself that each keeps. In mode pair two images share one choice; in mode batch all do.
 */
export function mixImages(
  data: Float32Array,
  count: number,
  [height, width, channels]: readonly [number, number, number],
  options: MixOptions,
  draws: MixDraws,
): Float64Array {
  const shares = new Float64Array(count).fill(1);
  const size = height * width * channels;
  const image = (i: number) => data.subarray(i * size, (i + 1) * size);
  const before = options.mode === 'elem' ? data.slice() : undefined;
  const half = count / 2;
  const choices =
    options.mode === 'batch'
      ? chooseOne(options, draws)
      : chooseEach(options, options.mode === 'pair' ? half : count, draws);
  let shared: { box: Box; share: number } | undefined;
  for (let i = 0; i < (before ? count : half); i++) {
    const j = count - 1 - i;
    const { share, cut } = Array.isArray(choices) ? choices[i] : choices;
    if (share === 1) continue;
    const cutting = cut ? (shared ?? cutBox(options, height, width, share, draws)) : undefined;
    if (cutting && !Array.isArray(choices)) shared = cutting;
    shares[i] = cutting?.share ?? share;
    const first = image(i);
    if (before) blend(first, first, before.subarray(j * size, (j + 1) * size), width, channels, share, cutting?.box);
    else {
      shares[j] = shares[i];
      const old = first.slice();
      blend(first, old, image(j), width, channels, share, cutting?.box);
      blend(image(j), image(j), old, width, channels, share, cutting?.box);
    }
  }
  return shares;
}

/** out = own with the box of other, or share·own + (1 - share)·other. */
function blend(
  out: Float32Array,
  own: Float32Array,
  other: Float32Array,
  width: number,
  channels: number,
  share: number,
  box: Box | undefined,
): void {
  if (!box) {
    for (let i = 0; i < out.length; i++) out[i] = own[i] * share + other[i] * (1 - share);
    return;
  }
  for (let y = box.top; y < box.bottom; y++) {
    const from = (y * width + box.left) * channels;
    out.set(other.subarray(from, (y * width + box.right) * channels), from);
  }
}
