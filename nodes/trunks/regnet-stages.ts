/** The design space of RegNet: stages from four numbers, and the published models. Radosavovic et al. 2020, arXiv:2003.13678. */

export interface RegnetStage {
  readonly width: number;
  readonly depth: number;
  readonly groupWidth: number;
  readonly bottleneck: number;
  readonly stride: number;
}

export interface RegnetNumbers {
  readonly depth: number;
  readonly w_0: number;
  readonly w_a: number;
  readonly w_m: number;
  readonly group_width: number;
}

const numbers = (depth: number, w_0: number, w_a: number, w_m: number, group_width: number): RegnetNumbers => ({
  depth,
  w_0,
  w_a,
  w_m,
  group_width,
});

/** Y models have squeeze-and-excitation, X models have not. */
export const REGNETS: Readonly<Record<string, RegnetNumbers>> = {
  regnet_y_400mf: numbers(16, 48, 27.89, 2.09, 8),
  regnet_y_800mf: numbers(14, 56, 38.84, 2.4, 16),
  'regnet_y_1.6gf': numbers(27, 48, 20.71, 2.65, 24),
  'regnet_y_3.2gf': numbers(21, 80, 42.63, 2.66, 24),
  regnet_y_8gf: numbers(17, 192, 76.82, 2.19, 56),
  regnet_y_16gf: numbers(18, 200, 106.23, 2.48, 112),
  regnet_y_32gf: numbers(20, 232, 115.89, 2.53, 232),
  regnet_y_128gf: numbers(27, 456, 160.83, 2.52, 264),
  regnet_y_256gf: numbers(27, 640, 230.83, 2.53, 373),
  regnet_x_400mf: numbers(22, 24, 24.48, 2.54, 16),
  regnet_x_800mf: numbers(16, 56, 35.73, 2.28, 16),
  'regnet_x_1.6gf': numbers(18, 80, 34.01, 2.25, 24),
  'regnet_x_3.2gf': numbers(25, 88, 26.31, 2.25, 48),
  regnet_x_8gf: numbers(23, 80, 49.56, 2.88, 120),
  regnet_x_16gf: numbers(22, 216, 55.59, 2.1, 128),
  regnet_x_32gf: numbers(23, 320, 69.86, 2, 168),
};

/** Widths grow linearly and are rounded to powers of w_m, then to 8; blocks of one width make a stage of stride 2. */
export function regnetStages({ depth, w_0, w_a, w_m, group_width }: RegnetNumbers, bottleneck: number): RegnetStage[] {
  const widths = Array.from({ length: depth }, (_, j) => {
    const power = halfEven(Math.log((w_0 + w_a * j) / w_0) / Math.log(w_m));
    return halfEven((w_0 * w_m ** power) / 8) * 8;
  });
  return [...new Set(widths)].map((width) => {
    const inner = Math.trunc(width * bottleneck);
    const groupWidth = Math.min(group_width, inner);
    return {
      width: Math.trunc((halfEven(inner / groupWidth) * groupWidth) / bottleneck),
      depth: widths.filter((other) => other === width).length,
      groupWidth,
      bottleneck,
      stride: 2,
    };
  });
}

/** Halves go to the even neighbour, as in the reference code. */
export function halfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
