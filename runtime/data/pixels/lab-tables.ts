import { roundHalfEven } from './round.ts';

/** Tables of OpenCV's 8-bit RGB → L*a*b*: fixed-point sRGB decoding and the CIE cube-root function. */
export interface LabTables {
  /** 256 linear values; 2040 = 255·8 is 1 */
  readonly linear: Uint16Array;
  /** f(t) of t = i / 2040 in 15 bits, t below 1.5 */
  readonly roots: Uint16Array;
}

let tables: LabTables | undefined;

/** Rounded through float32, as OpenCV's: two entries lie so close to a half that it decides them. */
export function labTables(): LabTables {
  tables ??= {
    linear: Uint16Array.from({ length: 256 }, (_, i) => Math.round(2040 * decodeSrgb(i / 255))),
    roots: Uint16Array.from({ length: 3072 }, (_, i) => roundHalfEven(Math.fround(32768 * cubeRoot(i / 2040)))),
  };
  return tables;
}

/** IEC 61966-2-1. */
function decodeSrgb(x: number): number {
  return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
}

/** CIE 1976: the cube root, continued by its tangent below (6/29)³. */
function cubeRoot(t: number): number {
  return t < 216 / 24389 ? (841 / 108) * t + 16 / 116 : Math.cbrt(t);
}
