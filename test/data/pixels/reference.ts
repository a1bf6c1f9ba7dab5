/** Pillow's colour operations in plain JavaScript, one value at a time, as the kernels' yardstick. */
import type { Picture } from './picture.ts';

const f = Math.fround;
const clip = (x: number) => Math.max(0, Math.min(255, Math.trunc(x)));

export function blend(from: number, to: number, factor: number): number {
  return clip(f(from + f(f(factor) * (to - from))));
}

export function luma(r: number, g: number, b: number): number {
  return Math.floor((19595 * r + 38470 * g + 7471 * b + 32768) / 65536);
}

/** Applies a function of all channels to every pixel. */
function perPixel(picture: Picture, change: (pixel: number[], at: number) => number[]): Uint8Array {
  const out = new Uint8Array(picture.pixels.length);
  for (let i = 0; i < out.length; i += picture.channels) {
    out.set(change(Array.from(picture.pixels.subarray(i, i + picture.channels)), i), i);
  }
  return out;
}

const lumaOf = (pixel: number[]) => (pixel.length === 1 ? pixel[0] : luma(pixel[0], pixel[1], pixel[2]));

export const brightness = (p: Picture, factor: number) => perPixel(p, (px) => px.map((v) => blend(0, v, factor)));

export function contrast(p: Picture, factor: number): Uint8Array {
  let sum = 0;
  perPixel(p, (px) => {
    sum += lumaOf(px);
    return px;
  });
  const mean = Math.floor(sum / (p.width * p.height) + 0.5);
  return perPixel(p, (px) => px.map((v) => blend(mean, v, factor)));
}

export const saturation = (p: Picture, factor: number) =>
  perPixel(p, (px) => px.map((v) => blend(lumaOf(px), v, factor)));

export const grayscale = (p: Picture) => perPixel(p, (px) => px.map(() => lumaOf(px)));

export const solarize = (p: Picture, threshold: number) => p.pixels.map((v) => (v < threshold ? v : 255 - v));

export const posterize = (p: Picture, bits: number) => p.pixels.map((v) => v - (v % 2 ** (8 - bits)));

export function autocontrast(p: Picture): Uint8Array {
  const channel = (c: number) => p.pixels.filter((_, i) => i % p.channels === c);
  const limits = Array.from({ length: p.channels }, (_, c) => [
    channel(c).reduce((a, b) => Math.min(a, b), 255),
    channel(c).reduce((a, b) => Math.max(a, b), 0),
  ]);
  return p.pixels.map((v, i) => {
    const [low, high] = limits[i % p.channels];
    const scale = 255 / (high - low);
    return high <= low ? v : clip(v * scale + -low * scale);
  });
}

export function hue(p: Picture, factor: number): Uint8Array {
  return perPixel(p, ([r, g, b]) => {
    const value = Math.max(r, g, b);
    const chroma = value - Math.min(r, g, b);
    let h = 0;
    let s = 0;
    if (chroma > 0) {
      const [rc, gc, bc] = [r, g, b].map((v) => f((value - v) / chroma));
      const sixths = r === value ? f(bc - gc) : g === value ? f(2 + rc - bc) : f(4 + gc - rc);
      h = Math.trunc(f((sixths / 6 + 1) % 1) * 255);
      s = Math.trunc(f(chroma / value) * 255);
    }
    h = (h + Math.trunc(factor * 255) + 256) % 256;
    if (s === 0) return [value, value, value];
    const turn = (h * 6) / 255;
    const sector = Math.floor(turn);
    const rest = f(turn - sector);
    const share = f(s / 255);
    const low = Math.round(value * (1 - share));
    const falling = Math.round(value * (1 - f(share * rest)));
    const rising = Math.round(value * (1 - share * (1 - rest)));
    return [
      [value, rising, low],
      [falling, value, low],
      [low, value, rising],
      [low, falling, value],
      [rising, low, value],
      [value, low, falling],
    ][sector % 6];
  });
}

export function sharpness(p: Picture, factor: number): Uint8Array {
  const { width, height, channels, pixels } = p;
  return pixels.map((v, i) => {
    const x = Math.floor(i / channels) % width;
    const y = Math.floor(i / channels / width);
    if (x === 0 || y === 0 || x === width - 1 || y === height - 1) return v;
    let sum = 4 * v;
    for (const dy of [-1, 0, 1]) for (const dx of [-1, 0, 1]) sum += pixels[i + (dy * width + dx) * channels];
    return blend(Math.round(sum / 13), v, factor);
  });
}

/** Each value by how many pixels of its channel lie below it, in whole steps. */
export function equalize(p: Picture): Uint8Array {
  const { channels, pixels } = p;
  return pixels.map((v, i) => {
    const own = Array.from(pixels).filter((_, k) => k % channels === i % channels);
    const greatest = Math.max(...own);
    const step = Math.floor(own.filter((other) => other < greatest).length / 255);
    if (step === 0) return v;
    return Math.min(255, Math.floor((Math.floor(step / 2) + own.filter((other) => other < v).length) / step));
  });
}
