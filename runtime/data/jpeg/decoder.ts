/**
 * Baseline JPEG to RGB in WebAssembly, every byte as libjpeg-turbo's: most photographs of most datasets, in less than
 * half of the processor time that a general library takes. What it does not know it leaves to that library.
 */
import type { PackedPixels } from '../sample.ts';
import binary from './binary.ts';
import { copyCoded, type Run } from './coded.ts';
import { type Component, type Frame, readFrame } from './frame.ts';

interface Exports {
  readonly memory: WebAssembly.Memory;
  buildTable(spec: number, ac: boolean, table: number): number;
  decodeScan(
    data: number,
    end: number,
    first: number,
    count: number,
    perRow: number,
    components: number,
    n: number,
    block: number,
  ): number;
  writeRgb(...sizesAndPlaces: number[]): void;
  writeGray(width: number, height: number, y: number, stride: number, spare: number, out: number): void;
}

/** Larger pictures would leave much memory behind. */
const LARGEST = 1 << 24;
const PAGE = 65536;
/** bytes of a built Huffman table, of a table as the file has it, and of a component's facts */
const TABLE = 8192;
const SPEC = 16 + 256;
const FACTS = 32;

/** Where Huffman tables lie, and which do: components of a picture share them, and most pictures of a dataset have the same. */
const TABLES = PAGE;
const MOST_TABLES = 6;
const built: { readonly spec: Uint8Array; readonly ac: boolean }[] = [];

let wasm: Exports | undefined;
const instance = (): Exports => {
  wasm ??= new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(binary, 'base64')), {})
    .exports as unknown as Exports;
  return wasm;
};

interface Plane {
  readonly place: number;
  readonly stride: number;
}

/** Where things lie in the memory, after the tables. */
function layout(frame: Frame, coded: number) {
  let next = TABLES + MOST_TABLES * TABLE;
  const take = (bytes: number): number => {
    const place = next;
    next += Math.ceil((bytes + 64) / 64) * 64;
    return place;
  };
  const { width, height, components } = frame;
  const [{ across, down }] = components;
  const perRow = Math.ceil(width / (8 * across));
  const units = perRow * Math.ceil(height / (8 * down));
  const spec = take(SPEC);
  const quantizers = take(components.length * 128);
  const facts = take(components.length * FACTS);
  const block = take(128);
  const spare = take(1024 + 8 * width);
  const data = take(coded + 1024);
  const planes = components.map((component): Plane => {
    const stride = perRow * component.across * 8;
    return { place: take((units / perRow) * component.down * 8 * stride), stride };
  });
  const out = take(width * height * 3);
  return { perRow, units, spec, quantizers, facts, block, spare, data, planes, out, bytes: next };
}

type Layout = ReturnType<typeof layout>;

/**
 * RGB pixels of a baseline JPEG file; undefined when it is another kind of file, damaged, or of more pixels than `limit`
 * or 16 million.
 */
export function decodeBaseline(bytes: Uint8Array, limit = LARGEST): PackedPixels | undefined {
  const frame = readFrame(bytes);
  if (!frame || frame.width * frame.height > Math.min(limit, LARGEST)) return undefined;
  const { width, height } = frame;
  const exports = instance();
  const places = layout(frame, bytes.length - frame.data);
  const missing = places.bytes - exports.memory.buffer.byteLength;
  if (missing > 0) exports.memory.grow(Math.ceil(missing / PAGE));
  const memory = new Uint8Array(exports.memory.buffer);
  const runs = copyCoded(bytes, frame.data, memory.subarray(places.data, places.data + bytes.length - frame.data));
  if (!runs || !fits(frame, places, runs) || !setUp(exports, memory, frame, places)) return undefined;
  const { perRow, units, facts, block, data, out } = places;
  const step = frame.restart || units;
  const decoded = runs.every(({ start, end }, i) => {
    const count = Math.min(step, units - i * step);
    return exports.decodeScan(data + start, data + end, i * step, count, perRow, facts, frame.components.length, block);
  });
  if (!decoded) return undefined;
  write(exports, frame, places);
  return { pixels: memory.slice(out, out + width * height * 3), width, height, channels: 3 };
}

/** As many runs as restarts make; and libjpeg's other way of upsampling is for pictures that are hardly there. */
function fits({ width, restart, components }: Frame, { units }: Layout, runs: readonly Run[]): boolean {
  const wanted = restart ? Math.ceil(units / restart) : 1;
  return runs.length === wanted && (components[0].across === 1 || width > 4);
}

function setUp(exports: Exports, memory: Uint8Array, { components }: Frame, places: Layout): boolean {
  let used = 0;
  const build = (spec: Uint8Array, ac: boolean): number | undefined => {
    let place = built.findIndex((one) => one.ac === ac && Buffer.compare(one.spec, spec) === 0);
    if (place < 0 || place > used) {
      place = used;
      built.length = Math.min(built.length, used);
      memory.set(spec, places.spec);
      if (!exports.buildTable(places.spec, ac, TABLES + place * TABLE)) return undefined;
      built.push({ spec: spec.slice(), ac });
    }
    used = Math.max(used, place + 1);
    return TABLES + place * TABLE;
  };
  return components.every(({ across, down, quantizers, dc, ac }: Component, c) => {
    const tables = [build(dc, false), build(ac, true)];
    if (tables.includes(undefined)) return false;
    const at = places.quantizers + c * 128;
    new Uint16Array(memory.buffer, at, 64).set(quantizers);
    const { place, stride } = places.planes[c];
    const facts = [across, down, tables[0]!, tables[1]!, at, place, stride, 0];
    new Int32Array(memory.buffer, places.facts + c * FACTS, FACTS / 4).set(facts);
    return true;
  });
}

function write(exports: Exports, { width, height, components }: Frame, { planes, spare, out }: Layout): void {
  const [luma, blue, red] = planes;
  if (!blue) {
    exports.writeGray(width, height, luma.place, luma.stride, spare, out);
    return;
  }
  const { across, down } = components[0];
  const size = [Math.ceil(width / across), Math.ceil(height / down)];
  const colour = [blue.place, red.place, blue.stride, ...size, across, down];
  exports.writeRgb(width, height, luma.place, luma.stride, ...colour, spare, out);
}
