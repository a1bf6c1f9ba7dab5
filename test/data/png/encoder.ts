/** PNG files of any kind, sound or not, for tests. */
import { constants, crc32, deflateSync, type ZlibOptions } from 'node:zlib';
import type { Random } from '../../../runtime/random.ts';

/** colour type, and the samples of a pixel */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

export interface Parts {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  /** 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGBA */
  readonly type: number;
  /** chunks between the header and the data */
  readonly before?: readonly Buffer[];
  /** the zlib stream in its pieces */
  readonly data: readonly Uint8Array[];
  readonly after?: readonly Buffer[];
  readonly interlace?: number;
}

export function chunk(type: string, body: Uint8Array = new Uint8Array(0)): Buffer {
  const out = Buffer.alloc(12 + body.length);
  out.writeUInt32BE(body.length, 0);
  out.write(type, 4, 'latin1');
  out.set(body, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + body.length)), 8 + body.length);
  return out;
}

export function pngFile({ width, height, depth, type, before = [], data, after = [], interlace = 0 }: Parts): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, type, 0, 0, interlace], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    ...before,
    ...data.map((piece) => chunk('IDAT', piece)),
    ...after,
    chunk('IEND'),
  ]);
}

export const bytesOf = (count: number, draw: () => number): Buffer =>
  Buffer.from(Uint8Array.from({ length: count }, draw));

export const rowBytes = (width: number, depth: number, type: number): number =>
  Math.ceil((width * depth * SAMPLES[type]) / 8);

/** Rows that begin with the number of a filter, drawn from `filters`, and hold noise, few values, or small steps. */
export function filteredRows(random: Random, height: number, bytes: number, filters: readonly number[]): Buffer {
  const draw = [() => random.integer(256), () => random.integer(8) >> 2, () => 253 + random.integer(6)][
    random.integer(3)
  ];
  const row = () => Buffer.concat([Buffer.of(filters[random.integer(filters.length)]), bytesOf(bytes, draw)]);
  return Buffer.concat(Array.from({ length: height }, row));
}

/** All kinds of blocks, windows and codes that zlib makes. */
export const anyCompression = (random: Random): ZlibOptions => ({
  level: random.integer(10),
  windowBits: 9 + random.integer(7),
  memLevel: 1 + random.integer(9),
  strategy: random.integer(constants.Z_FIXED + 1),
});

/** A sound file of a random kind. */
export function anyPng(random: Random): Parts {
  const one = <T>(of: readonly T[]): T => of[random.integer(of.length)];
  const type = one([0, 2, 3, 4, 6]);
  const depth = type === 0 || type === 3 ? one([1, 2, 4, 8]) : 8;
  const width = 1 + random.integer(one([4, 20, 70]));
  const height = 1 + random.integer(one([4, 40]));
  const rows = filteredRows(
    random,
    height,
    rowBytes(width, depth, type),
    one([[0], [1], [2], [3], [4], [0, 1, 2, 3, 4]]),
  );
  const stream = deflateSync(rows, anyCompression(random));
  const cut = random.integer(stream.length);
  const before: Buffer[] = [];
  if (random.integer(4) === 0) before.push(chunk('gAMA', Buffer.from('0000b18f', 'hex')));
  if (random.integer(4) === 0) before.push(chunk('gAMA', Buffer.from('000186a0', 'hex')));
  if (random.integer(4) === 0)
    before.push(
      chunk(
        'cHRM',
        bytesOf(32, () => random.integer(256)),
      ),
    );
  if (random.integer(4) === 0) before.push(chunk('sRGB', Buffer.of(random.integer(5))));
  if (random.integer(4) === 0)
    before.push(
      chunk(
        'pHYs',
        bytesOf(9, () => random.integer(256)),
      ),
    );
  const colours = 1 << depth;
  if (type === 3)
    before.push(
      chunk(
        'PLTE',
        bytesOf(3 * colours, () => random.integer(256)),
      ),
    );
  if (random.integer(3) === 0) {
    const transparent = { 0: [0, random.integer(colours)], 2: [0, 1, 0, 2, 0, 3], 3: [0, 128] }[type];
    if (transparent) before.push(chunk('tRNS', Uint8Array.from(transparent)));
  }
  if (random.integer(4) === 0)
    before.push(
      chunk(
        'tEXt',
        bytesOf(2 + random.integer(30), () => random.integer(256)),
      ),
    );
  const after =
    random.integer(4) === 0
      ? [
          chunk(
            'tIME',
            bytesOf(7, () => random.integer(256)),
          ),
        ]
      : [];
  return { width, height, depth, type, before, data: [stream.subarray(0, cut), stream.subarray(cut)], after };
}
