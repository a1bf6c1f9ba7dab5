import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Picture } from './pixels/picture.ts';

/** Recorded values of the reference code; `ORACLES` names another folder of them. */
export const ORACLES = process.env.ORACLES ?? 'test/oracles/cases';

export interface Values {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly data: readonly number[];
}

export interface OracleCase {
  readonly params: any;
  readonly inputs: any;
  readonly outputs: any;
  readonly tolerance: number;
}

/** Cases of transforms/<name>.json. */
export function transformCases(name: string): OracleCase[] {
  return JSON.parse(readFileSync(join(ORACLES, 'transforms', `${name}.json`), 'utf8')).cases;
}

/** HWC or HW values as a picture. */
export function pictureOf({ shape, data }: Values): Picture {
  return { height: shape[0], width: shape[1], channels: shape[2] ?? 1, pixels: Uint8Array.from(data) };
}

/** The picture that a case is about: by name, from images.json, or spelt out. */
export function inputPicture({ inputs }: OracleCase): Picture {
  if (inputs.pixels) return pictureOf(inputs.pixels);
  const found = transformCases('images').find(({ params }) => params.name === inputs.image);
  if (!found) throw new Error(`images.json has no picture ${inputs.image}`);
  return pictureOf(found.outputs.pixels);
}

/** NHWC values in the order of recorded CHW ones. */
export function planar(packed: ArrayLike<number>, channels: number): number[] {
  const size = packed.length / channels;
  return Array.from({ length: packed.length }, (_, i) => packed[(i % size) * channels + Math.floor(i / size)]);
}
