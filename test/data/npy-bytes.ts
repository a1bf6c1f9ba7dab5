/** .npy files as NumPy writes them, for tests. */

const WIDTHS: Readonly<Record<string, number>> = {
  i1: 1,
  u1: 1,
  b1: 1,
  i2: 2,
  u2: 2,
  i4: 4,
  u4: 4,
  i8: 8,
  u8: 8,
  f4: 4,
  f8: 8,
};

/** A file of version 1.0 with this header and these values. */
export function npyBytes(descr: string, shape: readonly number[], values: readonly number[]): Buffer {
  const little = !descr.startsWith('>');
  const kind = descr.replace(/^[<>|=]/, '');
  const width = WIDTHS[kind];
  const body = Buffer.alloc(values.length * width);
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  values.forEach((value, i) => {
    const at = i * width;
    if (kind === 'f4') view.setFloat32(at, value, little);
    else if (kind === 'f8') view.setFloat64(at, value, little);
    else if (width === 8) view.setBigInt64(at, BigInt(value), little);
    else if (width === 4) view.setInt32(at, value, little);
    else if (width === 2) view.setInt16(at, value, little);
    else view.setInt8(at, value);
  });
  return Buffer.concat([npyHeaderBytes(descr, shape), body]);
}

/** A file of texts: '<U' of UTF-32, or '|S' of bytes. */
export function npyTexts(texts: readonly string[], kind: '<U' | '>U' | '|S' = '<U'): Buffer {
  const points = texts.map((text) =>
    kind === '|S' ? [...Buffer.from(text)] : Array.from(text, (c) => c.codePointAt(0)!),
  );
  const longest = Math.max(1, ...points.map(({ length }) => length));
  const unit = kind === '|S' ? 1 : 4;
  const body = Buffer.alloc(texts.length * longest * unit);
  points.forEach((codes, i) => {
    codes.forEach((code, k) => {
      const at = (i * longest + k) * unit;
      if (kind === '|S') body[at] = code;
      else if (kind === '<U') body.writeUInt32LE(code, at);
      else body.writeUInt32BE(code, at);
    });
  });
  return Buffer.concat([npyHeaderBytes(`${kind}${longest}`, [texts.length]), body]);
}

export function npyHeaderBytes(descr: string, shape: readonly number[]): Buffer {
  const sizes = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${sizes}, }`;
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length & 255, padded.length >> 8]);
  return Buffer.concat([start, Buffer.from(padded, 'latin1')]);
}
