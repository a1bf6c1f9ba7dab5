/** Pillow's resize, blur and rotation in plain JavaScript, as the kernels' yardstick. */
import type { Box, Interpolation } from '../../../runtime/data/pixels/resize.ts';
import type { Picture } from './picture.ts';

const f = Math.fround;
type Line = (i: number) => number;

const FILTERS = {
  bilinear: { support: 1, weight: (x: number) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight: (x: number) => {
      const d = Math.abs(x);
      if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
      return d < 2 ? (((d - 5) * d + 8) * d - 4) * -0.5 : 0;
    },
  },
} as const;

/** One output of a resized line of `from` values. */
function resample(line: Line, from: number, to: number, i: number, filter: (typeof FILTERS)['bilinear' | 'bicubic']) {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const center = (i + 0.5) * scale;
  const first = Math.max(0, Math.trunc(center - filter.support * stretch + 0.5));
  const last = Math.min(from, Math.trunc(center + filter.support * stretch + 0.5));
  const weights = Array.from({ length: last - first }, (_, k) =>
    filter.weight((k + first - center + 0.5) * (1 / stretch)),
  );
  const total = weights.reduce((a, b) => a + b, 0);
  const sum = weights.reduce((acc, w, k) => {
    const fixed = (w / total) * 2 ** 22;
    return acc + line(first + k) * Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
  }, 2 ** 21);
  return Math.max(0, Math.min(255, Math.floor(sum / 2 ** 22)));
}

/** Position of output i by adding the step i times, as Pillow does. */
function nearest(from: number, to: number, i: number): number {
  let at = (from / to) * 0.5;
  for (let k = 0; k < i; k++) at += from / to;
  return Math.trunc(at);
}

export function resize(
  p: Picture,
  width: number,
  height: number,
  box: Box,
  how: Interpolation,
  flip: boolean,
): Uint8Array {
  const { channels } = p;
  const at = (x: number, y: number, c: number) => p.pixels[((box.top + y) * p.width + box.left + x) * channels + c];
  const column = (x: number) => (flip ? width - 1 - x : x);
  if (how === 'nearest') {
    return build(width, height, channels, (x, y, c) =>
      at(nearest(box.width, width, column(x)), nearest(box.height, height, y), c),
    );
  }
  const filter = FILTERS[how];
  const rows = build(width, box.height, channels, (x, y, c) =>
    resample((k) => at(k, y, c), box.width, width, column(x), filter),
  );
  return build(width, height, channels, (x, y, c) =>
    resample((k) => rows[(k * width + x) * channels + c], box.height, height, y, filter),
  );
}

export function build(
  width: number,
  height: number,
  channels: number,
  value: (x: number, y: number, c: number) => number,
) {
  const out = new Uint8Array(width * height * channels);
  let i = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) out[i++] = value(x, y, c);
  return out;
}

/** The box radius of a Gaussian, in float32. */
function boxRadius(sigma: number): number {
  const variance = f(f(sigma) ** 2 / 3);
  const length = f(Math.sqrt(12 * variance + 1));
  const whole = f(Math.floor((length - 1) / 2));
  const part = f(f(2 * whole + 1) * f(f(whole * f(whole + 1)) - f(3 * variance)));
  return f(whole + f(part / f(6 * f(variance - f((whole + 1) ** 2)))));
}

function boxPass(line: Uint8Array, box: number): Uint8Array {
  const radius = Math.trunc(box);
  const inner = Math.trunc(f(2 ** 24 / f(f(box * 2) + 1)));
  const outer = Math.floor((2 ** 24 - (2 * radius + 1) * inner) / 2);
  const at = (i: number) => line[Math.max(0, Math.min(line.length - 1, i))];
  return line.map((_, i) => {
    let sum = 0;
    for (let k = -radius; k <= radius; k++) sum += at(i + k);
    return Math.floor((sum * inner + (at(i - radius - 1) + at(i + radius + 1)) * outer + 2 ** 23) / 2 ** 24);
  });
}

export function gaussianBlur(p: Picture, sigma: number): Uint8Array {
  const { width, height, channels } = p;
  const box = boxRadius(sigma);
  const out = p.pixels.slice();
  const along = (start: number, step: number, count: number) => {
    let line: Uint8Array = Uint8Array.from({ length: count }, (_, i) => out[start + i * step]);
    for (let pass = 0; pass < 3; pass++) line = boxPass(line, box);
    line.forEach((v, i) => {
      out[start + i * step] = v;
    });
  };
  for (let y = 0; y < height; y++) for (let c = 0; c < channels; c++) along(y * width * channels + c, channels, width);
  for (let x = 0; x < width * channels; x++) along(x, width * channels, height);
  return out;
}

/** Samples at (ax·x + bx·y + cx, …) of pixel centres, bilinear or bicubic with a = -1; `fill` outside. */
export function affine(
  { width, height, channels, pixels }: Picture,
  { ax, bx, cx, ay, by, cy }: { ax: number; bx: number; cx: number; ay: number; by: number; cy: number },
  cubic: boolean,
  fill: number,
): Uint8Array {
  const clamp = (i: number, size: number) => Math.min(size - 1, Math.max(0, i));
  const line = (values: number[], t: number) => {
    const [a, b, c, d] = values;
    if (!cubic) return a + (b - a) * t;
    return b + t * (-a + c + t * (2 * (a - b) + c - d + t * (-a + b - c + d)));
  };
  return build(width, height, channels, (x, y, channel) => {
    const sx = ax * (x + 0.5) + bx * (y + 0.5) + cx;
    const sy = ay * (x + 0.5) + by * (y + 0.5) + cy;
    if (sx < 0 || sx >= width || sy < 0 || sy >= height) return fill;
    const [left, top] = [Math.floor(sx - 0.5), Math.floor(sy - 0.5)];
    const around = cubic ? [-1, 0, 1, 2] : [0, 1];
    const rows = around.map((dy) => {
      const row = clamp(top + dy, height) * width;
      const values = around.map((dx) => pixels[(row + clamp(left + dx, width)) * channels + channel]);
      return line(values, sx - 0.5 - left);
    });
    return Math.max(0, Math.min(255, Math.trunc(line(rows, sy - 0.5 - top))));
  });
}
