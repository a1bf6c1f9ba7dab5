/** Recorded reference cases. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RecordedTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly data: readonly number[];
}

export interface Case {
  readonly params: any;
  readonly inputs: any;
  readonly outputs: any;
  readonly tolerance?: number;
}

const folder = process.env.ORACLES ?? 'test/oracles/cases';

export function casesOf(file: string): readonly Case[] {
  const { cases } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { cases: Case[] };
  if (cases.length === 0) throw new Error(`${file} has no cases`);
  return cases;
}

export const oracleFile = (name: string): string => join(folder, name);

/** Channels last: the last three dimensions CHW → HWC, of each image. */
export function channelsLast({ shape, data }: RecordedTensor): Float32Array {
  const [c, h, w] = shape.slice(-3);
  const count = data.length / (c * h * w);
  const out = new Float32Array(data.length);
  for (let n = 0, at = 0; n < count; n++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) for (let k = 0; k < c; k++) out[at++] = data[((n * c + k) * h + y) * w + x];
    }
  }
  return out;
}
