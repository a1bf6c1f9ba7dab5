/** Colours that tell classes apart. */

export type Rgb = readonly [red: number, green: number, blue: number];

/** chosen to differ in lightness too, for eyes that see colours alike */
const FIRST: readonly Rgb[] = [
  [31, 105, 190],
  [230, 120, 20],
  [30, 145, 80],
  [200, 40, 50],
  [130, 90, 180],
  [125, 80, 60],
  [220, 110, 180],
  [100, 100, 105],
  [165, 160, 30],
  [30, 170, 190],
];

/** Colour of class `i`: ten chosen ones, then hues that go round by the golden angle. */
export function classColor(i: number): Rgb {
  if (i < FIRST.length) return FIRST[i];
  const hue = (i * 137.508) % 360;
  return hslToRgb(hue, 0.6, [0.35, 0.5, 0.65][i % 3]);
}

export const cssColor = (color: Rgb): string => `rgb(${color.join(',')})`;

function hslToRgb(hue: number, saturation: number, lightness: number): Rgb {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const channel = (n: number) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}
