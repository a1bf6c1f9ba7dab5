import { defineNode, T } from '../../runtime/node.ts';
import type { Random } from '../../runtime/random.ts';
import { createRandom } from '../../runtime/random.ts';
import { FIGURES } from './figures.ts';
import { limit, limited, ports } from './parts.ts';

const NAMES = Object.keys(FIGURES);

/** A colour field: a ramp between two colours along a direction, with stripes, checks or grain on it. */
interface Texture {
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly cos: number;
  readonly sin: number;
  readonly kind: number;
  /** radians per pixel-size unit */
  readonly frequency: number;
  readonly amplitude: number;
}

const color = (random: Random) => [random.uniform(20, 235), random.uniform(20, 235), random.uniform(20, 235)];

function texture(random: Random, base: readonly number[], strength: number): Texture {
  const angle = random.uniform(0, 2 * Math.PI);
  return {
    from: base,
    to: base.map((value) => value + random.uniform(-35, 35) * strength),
    cos: Math.cos(angle),
    sin: Math.sin(angle),
    kind: random.integer(3),
    frequency: random.uniform(8, 26),
    amplitude: random.uniform(0, 24) * strength,
  };
}

/** Brightness that the texture adds at (x, y), coordinates in [-0.5, 0.5]. */
function relief(t: Texture, x: number, y: number): number {
  const along = (x * t.cos + y * t.sin) * t.frequency;
  if (t.kind === 0) return Math.sin(along) * t.amplitude;
  if (t.kind === 1) return Math.sin(along) * Math.sin((y * t.cos - x * t.sin) * t.frequency) * t.amplitude;
  return 0;
}

/** Two colours that differ enough for the figure to be seen. */
function twoColors(random: Random): [number[], number[]] {
  const first = color(random);
  let second = color(random);
  while (Math.abs(luma(first) - luma(second)) < 40) second = color(random);
  return [first, second];
}

const luma = ([r, g, b]: readonly number[]) => 0.299 * r + 0.587 * g + 0.114 * b;

/** How much of the nuisances there is. */
export interface Nuisances {
  /** 0 (plain colours) to 1 */
  readonly texture: number;
  /** largest turn either way, in degrees */
  readonly turn: number;
}

/** Packed RGB pixels of one picture: a figure of random place, size, turn, colours and texture on a textured ground. */
export function drawShape(
  figure: string,
  size: number,
  random: Random,
  { texture: strength, turn: degrees }: Nuisances = { texture: 1, turn: 180 },
): Uint8Array {
  const distance = FIGURES[figure];
  const [ground, ink] = twoColors(random);
  const grounds = texture(random, ground, strength);
  const inks = texture(random, ink, strength);
  const radius = random.uniform(0.18, 0.34);
  const cx = random.uniform(-0.5 + radius, 0.5 - radius);
  const cy = random.uniform(-0.5 + radius, 0.5 - radius);
  const turn = (random.uniform(-1, 1) * degrees * Math.PI) / 180;
  const cos = Math.cos(turn) / radius;
  const sin = Math.sin(turn) / radius;
  const edge = radius * size; // from units of the radius to pixels
  const grain = random.uniform(0, 14) * strength;
  let noise = random.integer(2 ** 32);
  const pixels = new Uint8Array(size * size * 3);
  for (let row = 0, at = 0; row < size; row++) {
    const y = (row + 0.5) / size - 0.5;
    for (let column = 0; column < size; column++, at += 3) {
      const x = (column + 0.5) / size - 0.5;
      const u = (x - cx) * cos + (y - cy) * sin;
      const v = (y - cy) * cos - (x - cx) * sin;
      const cover = Math.min(1, Math.max(0, 0.5 - distance(u, v) * edge));
      const rampOut = x * grounds.cos + y * grounds.sin + 0.5;
      const rampIn = x * inks.cos + y * inks.sin + 0.5;
      noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0;
      const speck = (noise / 2 ** 32 - 0.5) * grain;
      const out = relief(grounds, x, y) + speck;
      const into = relief(inks, x, y) + speck;
      for (let c = 0; c < 3; c++) {
        const outside = grounds.from[c] + (grounds.to[c] - grounds.from[c]) * rampOut + out;
        const inside = inks.from[c] + (inks.to[c] - inks.from[c]) * rampIn + into;
        pixels[at + c] = Math.min(255, Math.max(0, outside + (inside - outside) * cover));
      }
    }
  }
  return pixels;
}

/**
 * Generated pictures of plane figures; the class is the figure. Place, size, turn, colours and texture vary and say
 * nothing about the class, so that pixels compared as they are tell little. Picture i of a split depends on seed, split
 * and i alone; classes take turns.
 */
export default defineNode({
  type: 'dataset/shapes',
  role: 'dataset',
  description: 'Generated labelled pictures of figures, of any size: needs no files.',
  params: T.Object({
    length: T.Integer({ default: 10000, minimum: 1, description: 'number of pictures' }),
    size: T.Integer({ default: 32, minimum: 4, maximum: 4096, description: 'side in pixels' }),
    classes: T.Integer({
      default: 8,
      minimum: 2,
      maximum: NAMES.length,
      description: `number of figures, the first of ${NAMES.join(', ')}`,
    }),
    split: T.String({ default: 'train', description: 'another name gives other pictures of the same kind' }),
    texture: T.Number({ default: 1, minimum: 0, maximum: 1, description: 'strength of ramps, stripes, checks, grain' }),
    turn: T.Number({ default: 180, minimum: 0, maximum: 180, description: 'largest turn of a figure, in degrees' }),
    seed: T.Optional(T.Integer({ minimum: 0, description: 'which pictures; default 0, whatever the seed of the run' })),
    ...limit,
  }),
  ...ports,
  show: ['length', 'size', 'classes'],
  facts: ({ size, classes, length, limit }) => ({
    views: [[[size], [size], [3]]],
    dtype: 'uint8',
    labelled: true,
    classes,
    length: limited(length, limit),
  }),
  scan: ({ params: { length, limit, classes } }) => ({
    length: limited(length, limit),
    classes: NAMES.slice(0, classes),
    data: null,
  }),
  open: ({ params: { size, classes, split, seed = 0, texture, turn } }, { length }) => ({
    length,
    read: (index) => {
      const label = index % classes;
      const pixels = drawShape(NAMES[label], size, createRandom(seed, 'shapes', split, index), {
        texture,
        turn,
      });
      return { source: { pixels, width: size, height: size, channels: 3 }, label };
    },
  }),
});
