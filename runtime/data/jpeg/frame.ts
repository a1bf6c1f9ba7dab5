/** What a baseline JPEG file says before and around its coded pixels. ITU-T T.81, JFIF 1.02. */

export interface Component {
  readonly id: number;
  /** blocks of 8×8 in a unit (MCU) */
  readonly across: number;
  readonly down: number;
  readonly quantizers: Uint16Array;
  readonly dc: Uint8Array;
  readonly ac: Uint8Array;
}

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly components: readonly Component[];
  /** units between two restarts; 0 without restarts */
  readonly restart: number;
  /** position of the coded pixels */
  readonly data: number;
}

interface Said {
  quantizers: (Uint16Array | undefined)[];
  /** by class (0 DC, 1 AC) and number: 16 counts of codes and the symbols */
  tables: [(Uint8Array | undefined)[], (Uint8Array | undefined)[]];
  frame?: { width: number; height: number; components: { id: number; across: number; down: number; table: number }[] };
  restart: number;
  jfif: boolean;
  /** colour transform of Adobe's marker */
  transform?: number;
}

/** The frame of a file that is one interleaved baseline scan, gray or YCbCr at 8 bits; undefined for all others. */
export function readFrame(bytes: Uint8Array): Frame | undefined {
  const said: Said = { quantizers: [], tables: [[], []], restart: 0, jfif: false };
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1];
    const size = bytes[at + 2] * 256 + bytes[at + 3];
    const end = at + 2 + size;
    if (size < 2 || end > bytes.length) return undefined;
    const body = bytes.subarray(at + 4, end);
    if (marker === 0xda) return frameOf(said, body, end);
    if (!note(said, marker, body)) return undefined;
    at = end;
  }
  return undefined;
}

/** Keeps what a segment says; false when only a full decoder understands the file. */
function note(said: Said, marker: number, body: Uint8Array): boolean {
  if (marker === 0xdb) return noteQuantizers(said, body);
  if (marker === 0xc4) return noteTables(said, body);
  if (marker === 0xc0 || marker === 0xc1) return noteFrame(said, body);
  if (marker === 0xdd) said.restart = body[0] * 256 + body[1];
  if (marker === 0xe0 && ascii(body, 4) === 'JFIF') said.jfif = true;
  if (marker === 0xee && ascii(body, 5) === 'Adobe') said.transform = body[11];
  // application data, comments and the restart interval; not progressive, lossless, arithmetic, hierarchical files
  return (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe || (marker === 0xdd && body.length === 2);
}

const ascii = (body: Uint8Array, length: number): string => String.fromCharCode(...body.subarray(0, length));

function noteQuantizers(said: Said, body: Uint8Array): boolean {
  let at = 0;
  while (at < body.length) {
    const wide = body[at] >> 4;
    const number = body[at] & 15;
    at += 1;
    if (wide > 1 || number > 3 || at + 64 * (wide + 1) > body.length) return false;
    const quantizers = new Uint16Array(64);
    for (let k = 0; k < 64; k++) quantizers[k] = wide ? body[at + 2 * k] * 256 + body[at + 2 * k + 1] : body[at + k];
    said.quantizers[number] = quantizers;
    at += 64 * (wide + 1);
  }
  return true;
}

function noteTables(said: Said, body: Uint8Array): boolean {
  let at = 0;
  while (at + 17 <= body.length) {
    const kind = body[at] >> 4;
    const number = body[at] & 15;
    const symbols = body.subarray(at + 1, at + 17).reduce((sum, count) => sum + count, 0);
    const end = at + 17 + symbols;
    if (kind > 1 || number > 3 || symbols > 256 || end > body.length) return false;
    said.tables[kind][number] = body.subarray(at + 1, end);
    at = end;
  }
  return at === body.length;
}

function noteFrame(said: Said, body: Uint8Array): boolean {
  const count = body[5];
  if (said.frame || body[0] !== 8 || (count !== 1 && count !== 3) || body.length !== 6 + 3 * count) return false;
  const height = body[1] * 256 + body[2];
  const width = body[3] * 256 + body[4];
  const components = Array.from({ length: count }, (_, c) => {
    const [id, sampling, table] = body.subarray(6 + 3 * c);
    return { id, across: sampling >> 4, down: sampling & 15, table };
  });
  said.frame = { width, height, components };
  return width > 0 && height > 0;
}

function frameOf(said: Said, scan: Uint8Array, data: number): Frame | undefined {
  const { frame, restart } = said;
  const count = scan[0];
  if (!frame || count !== frame.components.length || scan.length !== 4 + 2 * count) return undefined;
  // the first and last coefficient, and no approximation: one whole scan
  if (scan[1 + 2 * count] !== 0 || scan[2 + 2 * count] !== 63 || scan[3 + 2 * count] !== 0) return undefined;
  const components = frame.components.flatMap(({ id, across, down, table }, c): Component[] => {
    const numbers = scan[2 + 2 * c];
    const quantizers = said.quantizers[table];
    const dc = said.tables[0][numbers >> 4];
    const ac = said.tables[1][numbers & 15];
    if (scan[1 + 2 * c] !== id || !quantizers || !dc || !ac) return [];
    return [{ id, across: count === 1 ? 1 : across, down: count === 1 ? 1 : down, quantizers, dc, ac }];
  });
  if (components.length !== count || !isLaidOut(components) || !isYcc(said, components)) return undefined;
  const { width, height } = frame;
  return { width, height, components, restart, data };
}

/** Colour at the resolution of luma, halved across, or halved both ways. */
function isLaidOut([luma, ...colour]: readonly Component[]): boolean {
  if (colour.some(({ across, down }) => across !== 1 || down !== 1)) return false;
  const kind = `${luma.across}×${luma.down}`;
  return kind === '1×1' || kind === '2×1' || kind === '2×2';
}

function isYcc({ jfif, transform }: Said, components: readonly Component[]): boolean {
  if (components.length === 1 || jfif) return true;
  if (transform !== undefined) return transform === 1;
  return components.every(({ id }, c) => id === c + 1);
}
