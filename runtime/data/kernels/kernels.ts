import binary from './binary.ts';

type Size = number;
type Pointer = number;

/** The functions of kernels.wasm. Pointers are byte offsets in the memory; nothing is checked here: see pixels/. */
export interface Kernels {
  resizeCoefficients(
    inSize: Size,
    outSize: Size,
    cubic: boolean,
    mirrored: boolean,
    pairs: Size,
    bounds: Pointer,
    weights: Pointer,
    raw: Pointer,
  ): void;
  resizeRows(
    src: Pointer,
    stride: Size,
    rowBytes: Size,
    rows: Size,
    channels: Size,
    width: Size,
    bounds: Pointer,
    weights: Pointer,
    pairs: Size,
    out: Pointer,
    spare: Pointer,
  ): void;
  resizeColumns(
    src: Pointer,
    stride: Size,
    rowBytes: Size,
    rows: Size,
    height: Size,
    bounds: Pointer,
    weights: Pointer,
    pairs: Size,
    out: Pointer,
  ): void;
  nearestOffsets(inSize: Size, outSize: Size, step: Size, mirrored: boolean, offsets: Pointer): void;
  gather(
    src: Pointer,
    stride: Size,
    channels: Size,
    columns: Pointer,
    rows: Pointer,
    width: Size,
    height: Size,
    out: Pointer,
  ): void;
  affineFixed: Affine;
  affineDouble: Affine;
  affineSmooth(
    src: Pointer,
    width: Size,
    height: Size,
    channels: Size,
    out: Pointer,
    bicubic: boolean,
    fill: number,
    ax: number,
    bx: number,
    cx: number,
    ay: number,
    by: number,
    cy: number,
  ): void;
  copyRows(src: Pointer, srcStride: Size, out: Pointer, outStride: Size, rowBytes: Size, rows: Size): void;
  mirrorRows(src: Pointer, out: Pointer, width: Size, rows: Size, pixelBytes: Size): void;
  grayToRgb(src: Pointer, out: Pointer, pixels: Size): void;
  blendConstant(p: Pointer, bytes: Size, value: number, share: number, spare: Pointer): void;
  lumaSum(p: Pointer, pixels: Size, channels: Size, spare: Pointer): number;
  saturation(p: Pointer, pixels: Size, share: number, spare: Pointer): void;
  grayscale(p: Pointer, pixels: Size, spare: Pointer): void;
  hue(p: Pointer, pixels: Size, shift: number, spare: Pointer): void;
  solarize(p: Pointer, bytes: Size, threshold: number, spare: Pointer): void;
  maskBytes(p: Pointer, bytes: Size, mask: number): void;
  lookUp(p: Pointer, pixels: Size, channels: Size, tables: Pointer): void;
  extrema(p: Pointer, pixels: Size, channels: Size, out: Pointer): void;
  histogram(p: Pointer, pixels: Size, channels: Size, counts: Pointer): void;
  sharpness(src: Pointer, out: Pointer, width: Size, height: Size, channels: Size, share: number): void;
  boxRadius(deviation: number): number;
  blur(
    p: Pointer,
    width: Size,
    height: Size,
    channels: Size,
    box: number,
    rounding: number,
    a: Pointer,
    b: Pointer,
  ): void;
  labFloats(p: Pointer, pixels: Size, out: Pointer, linear: Pointer, roots: Pointer): void;
  normalizeBytes(p: Pointer, count: Size, out: Pointer, divisor: number, statistics: Pointer): void;
  normalizeFloats(p: Pointer, count: Size, statistics: Pointer): void;
}

type Affine = (
  src: Pointer,
  width: Size,
  height: Size,
  channels: Size,
  out: Pointer,
  x0: number,
  y0: number,
  ax: number,
  ay: number,
  bx: number,
  by: number,
) => void;

let compiled: WebAssembly.Module | undefined;

/** The kernels on a shared memory; compiled once per thread. The memory must be shared (`shared: true`). */
export function instantiateKernels(memory: WebAssembly.Memory): Kernels {
  if (!(memory.buffer instanceof SharedArrayBuffer)) {
    throw new TypeError('image kernels need a shared WebAssembly.Memory: create it with { shared: true }');
  }
  compiled ??= new WebAssembly.Module(Buffer.from(binary, 'base64'));
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Kernels;
}
