/** Reads event files with none of the writer's code: records by their lengths, messages by their wire types. */
import assert from 'node:assert/strict';

export interface ReadEvent {
  readonly step: number;
  readonly version?: string;
  readonly restart?: boolean;
  readonly tag?: string;
  readonly value?: number;
  readonly image?: { width: number; height: number; png: Buffer };
  readonly histogram?: { min: number; max: number; num: number; sum: number; limits: number[]; counts: number[] };
}

type Fields = Map<number, (number | bigint | Buffer)[]>;

function fields(bytes: Buffer): Fields {
  const found: Fields = new Map();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const put = (value: number | bigint | Buffer) => found.set(tag >> 3, [...(found.get(tag >> 3) ?? []), value]);
    const wire = tag & 7;
    if (wire === 0) put(varint());
    else if (wire === 1) {
      put(bytes.readDoubleLE(at));
      at += 8;
    } else if (wire === 5) {
      put(bytes.readFloatLE(at));
      at += 4;
    } else {
      const length = Number(varint());
      put(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return found;
}

const doubles = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readDoubleLE(8 * i));

const first = <A>(from: Fields, field: number): A | undefined => from.get(field)?.[0] as A | undefined;

export function readEvents(file: Buffer): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    assert.ok(at + 16 + length <= file.length, 'a whole record');
    const event = fields(file.subarray(at + 12, at + 12 + length));
    at += 16 + length;
    const step = Number(first<bigint>(event, 2) ?? 0n);
    const version = first<Buffer>(event, 3)?.toString();
    const session = first<Buffer>(event, 7);
    const summary = first<Buffer>(event, 5);
    const value = summary && fields(first<Buffer>(fields(summary), 1)!);
    const histogram = value && first<Buffer>(value, 5);
    const proto = histogram && fields(histogram);
    events.push({
      step,
      ...(version ? { version } : {}),
      ...(session ? { restart: Number(first<bigint>(fields(session), 1)) === 1 } : {}),
      ...(value ? { tag: first<Buffer>(value, 1)!.toString() } : {}),
      ...(value?.has(2) ? { value: first<number>(value, 2) } : {}),
      ...(value?.has(4)
        ? {
            image: {
              height: Number(first<bigint>(fields(first<Buffer>(value, 4)!), 1)),
              width: Number(first<bigint>(fields(first<Buffer>(value, 4)!), 2)),
              png: first<Buffer>(fields(first<Buffer>(value, 4)!), 4)!,
            },
          }
        : {}),
      ...(proto
        ? {
            histogram: {
              min: first<number>(proto, 1)!,
              max: first<number>(proto, 2)!,
              num: first<number>(proto, 3)!,
              sum: first<number>(proto, 4)!,
              limits: doubles(first<Buffer>(proto, 6)!),
              counts: doubles(first<Buffer>(proto, 7)!),
            },
          }
        : {}),
    });
  }
  return events;
}
