/** The header of a safetensors file: 8 bytes of length, then JSON: name → dtype, shape, [begin, end) in the data. */

/** Bytes per element of the dtypes that the format knows. */
export const ELEMENT_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

export type ElementType = keyof typeof ELEMENT_BYTES;

export interface TensorInfo {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** byte range in the data section */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  /** in the order of the data */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/** Longest header that is read, in bytes: what the format's own library allows. */
export const MAX_HEADER_BYTES = 100_000_000;

const METADATA = '__metadata__';

/** A file that is not what it says it is; the message says where and why. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
}

export const elements = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** JSON of the header, padded with spaces so that the data begins at a multiple of 8 bytes. */
export function encodeHeader({ metadata, tensors }: Header): Uint8Array {
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [[METADATA, metadata]] : [];
  for (const [name, { dtype, shape, begin, end }] of tensors) {
    entries.push([name, { dtype, shape, data_offsets: [begin, end] }]);
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + length, 0x20);
  bytes.writeBigUInt64LE(BigInt(length), 0);
  json.copy(bytes, 8);
  return bytes;
}

/**
 * Read a header's JSON and hold it against the size of the data: every entry has a known dtype, its bytes are those of
 * its shape, and the entries cover the data without gap or overlap.
 * @throws SafetensorsError
 */
export function decodeHeader(json: string, dataBytes: number, file: string): Header {
  const fail = (why: string): never => {
    throw new SafetensorsError(`${file}: not a valid safetensors file: ${why}`);
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    return fail(`its header is not JSON (${(error as Error).message})`);
  }
  if (!isRecord(parsed)) return fail('its header is not an object');
  const metadata: Record<string, string> = {};
  const found: [string, TensorInfo][] = [];
  for (const [name, entry] of Object.entries(parsed)) {
    if (name !== METADATA) {
      found.push([name, decodeEntry(name, entry, dataBytes, fail)]);
      continue;
    }
    if (!isRecord(entry)) return fail(`${METADATA} is not an object`);
    for (const [key, value] of Object.entries(entry)) {
      if (typeof value !== 'string') return fail(`${METADATA}.${key} is not a string`);
      Object.defineProperty(metadata, key, { value, enumerable: true });
    }
  }
  found.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const [name, { begin, end }] of found) {
    if (begin < at) return fail(`tensor ${name} overlaps the one before it`);
    if (begin > at) return fail(`${begin - at} bytes before tensor ${name} belong to no tensor`);
    at = end;
  }
  if (at !== dataBytes) return fail(`its tensors end at byte ${at} of the data, which has ${dataBytes} bytes`);
  return { metadata, tensors: new Map(found) };
}

function decodeEntry(name: string, entry: unknown, dataBytes: number, fail: (why: string) => never): TensorInfo {
  if (!isRecord(entry)) return fail(`the entry of tensor ${name} is not an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(ELEMENT_BYTES, dtype)) {
    return fail(`tensor ${name} has the unknown dtype ${JSON.stringify(dtype)}`);
  }
  if (!isSizes(shape)) return fail(`tensor ${name} has the shape ${JSON.stringify(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return fail(`tensor ${name} has the data_offsets ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = offsets;
  if (end > dataBytes) return fail(`tensor ${name} ends at byte ${end} of the data, which has ${dataBytes} bytes`);
  const expected = elements(shape) * ELEMENT_BYTES[dtype as ElementType];
  if (end - begin !== expected) {
    return fail(`tensor ${name} of shape [${shape}] and dtype ${dtype} takes ${expected} bytes, not ${end - begin}`);
  }
  return { dtype: dtype as ElementType, shape, begin, end };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
