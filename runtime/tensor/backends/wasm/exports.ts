type Pointer = number;

/** The functions of the module built from assembly/. Pointers are byte offsets; nothing is checked. */
export interface Kernels {
  packColumns(from: Pointer, stride: number, k: number, columns: number, to: Pointer): void;
  packFilterTransposed(
    from: Pointer,
    places: number,
    inputs: number,
    stride: number,
    outputs: number,
    to: Pointer,
  ): void;
  convolveRegion(
    source: Pointer,
    target: Pointer,
    region: Pointer,
    runs: Pointer,
    panels: Pointer,
    depth: number,
    columns: number,
    scratch: Pointer,
    blockRows: number,
  ): void;
  accumulateFilter(
    source: Pointer,
    target: Pointer,
    region: Pointer,
    runs: Pointer,
    gradient: Pointer,
    stride: number,
    columns: number,
    scratch: Pointer,
  ): void;

  channelMeans(x: Pointer, rows: number, channels: number, mean: Pointer, sums: Pointer): void;
  channelVariances(x: Pointer, rows: number, channels: number, mean: Pointer, variance: Pointer, sums: Pointer): void;
  gradientSums(
    dy: Pointer,
    x: Pointer,
    y: Pointer,
    rows: number,
    channels: number,
    mean: Pointer,
    plain: Pointer,
    centred: Pointer,
    sums: Pointer,
  ): void;
  sumOfSquares(x: Pointer, count: number): number;
  scaleRows(x: Pointer, rows: number, channels: number, a: Pointer, b: Pointer, relu: boolean, y: Pointer): void;
  normGradRows(
    dy: Pointer,
    x: Pointer,
    y: Pointer,
    rows: number,
    channels: number,
    a: Pointer,
    b: Pointer,
    d: Pointer,
    dx: Pointer,
  ): void;
  addRelu(a: Pointer, b: Pointer, count: number, y: Pointer): void;
  clip(x: Pointer, count: number, low: number, high: number, y: Pointer): void;
  reluGrad(dy: Pointer, y: Pointer, count: number, dx: Pointer): void;
  sgdStep(
    p: Pointer,
    g: Pointer,
    v: Pointer,
    count: number,
    lr: number,
    momentum: number,
    decay: number,
    scale: number,
    nesterov: boolean,
    started: boolean,
  ): void;
  maxPoolGrad(x: Pointer, y: Pointer, dy: Pointer, dx: Pointer, ...sizes: PoolSizes): void;
  sumPoolGrad(dy: Pointer, dx: Pointer, ...sizes: PoolSizes): void;
  depthwiseGrad(x: Pointer, w: Pointer, dy: Pointer, dx: Pointer, dw: Pointer, ...sizes: DepthwiseSizes): void;
}

/** input NHWC; output, kernel, stride, padding: rows, columns */
type PoolSizes = readonly [
  ...input: [number, number, number, number],
  ...rest: [number, number, number, number, number, number, number, number],
];
type DepthwiseSizes = readonly [...PoolSizes, dilationHeight: number, dilationWidth: number];
