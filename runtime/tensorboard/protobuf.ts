/** The wire format of protocol buffers, as much of it as events need. */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

const tag = (field: number, wire: number): Buffer => varint(BigInt(field * 8 + wire));

/** int64, also negative. */
export const intField = (field: number, value: number): Buffer =>
  Buffer.concat([tag(field, VARINT), varint(BigInt(value))]);

export function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([tag(field, FIXED64), bytes]);
}

export function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([tag(field, FIXED32), bytes]);
}

/** A text, or a message of its own. */
export function bytesField(field: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([tag(field, BYTES), varint(BigInt(bytes.length)), bytes]);
}

/** repeated double, packed */
export const doublesField = (field: number, values: readonly number[]): Buffer =>
  bytesField(field, Buffer.from(Float64Array.from(values).buffer));
