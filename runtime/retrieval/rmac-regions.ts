/** Square regions of a feature map at several scales. Tolias et al. 2016, arXiv:1511.05879. */

export interface Region {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

const WANTED_OVERLAP = 0.4;

/**
 * At level l the side is ⌊2w / (l + 1)⌋ of the shorter side w. Along the longer side there are so many more regions that
 * neighbours at level 1 overlap by about 0.4.
 */
export function rmacRegions(height: number, width: number, levels: number): Region[] {
  const w = Math.min(height, width);
  const more = height === width ? 0 : extraRegions(w, Math.max(height, width));
  const regions: Region[] = [];
  for (let level = 1; level <= levels; level++) {
    const side = Math.floor((2 * w) / (level + 1));
    if (side === 0) continue;
    for (const y of places(height, side, level + (height > width ? more : 0))) {
      for (const x of places(width, side, level + (width > height ? more : 0))) regions.push({ x, y, side });
    }
  }
  return regions;
}

function extraRegions(w: number, longer: number): number {
  // in float32, which decides where two numbers of steps are equally good
  const f = Math.fround;
  const distances = [2, 3, 4, 5, 6, 7].map((steps) => {
    const step = f((longer - w) / (steps - 1));
    return Math.abs(f(f(f(w * w - f(w * step)) / (w * w)) - f(WANTED_OVERLAP)));
  });
  return 1 + distances.indexOf(Math.min(...distances));
}

const places = (length: number, side: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (count === 1 ? 0 : Math.floor((i * (length - side)) / (count - 1))));
