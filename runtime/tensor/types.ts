/**
 * What a node sees of the tensor world. Types only: importing this file loads nothing.
 * Tensors are tfjs tensors; images and feature maps are NHWC, convolution weights HWIO, linear weights [in, out].
 */
import type * as tfjs from '@tensorflow/tfjs-core';
import type { RunSettings } from '../../graph/checked.ts';

/** The tfjs-core API, handed to nodes through their context. */
export type TensorApi = typeof tfjs;
export type Tensor = tfjs.Tensor;
export type Variable = tfjs.Variable;
export type DataType = 'float32' | 'int32' | 'bool';

/** Number format of matrix products and convolutions. */
export type Precision = RunSettings['precision'];

export type Pair = readonly [number, number];

export interface ConvOptions {
  /** rows, columns; default [1, 1] */
  readonly stride?: Pair;
  /** zero padding on both sides of rows, columns; default [0, 0] */
  readonly padding?: Pair;
  readonly dilation?: Pair;
  /** input channels are split in that many groups; default 1 */
  readonly groups?: number;
}

export interface PoolOptions {
  readonly kernel: Pair;
  /** default: the kernel */
  readonly stride?: Pair;
  readonly padding?: Pair;
  /** PyTorch's ceil_mode: partial windows at the far edge count; default false */
  readonly ceil?: boolean;
  /** average pooling only: divide by the whole window even where it is padding; default true */
  readonly countIncludePad?: boolean;
}

export interface BatchNormState {
  /** [C]; updated in place (assigned) in training */
  readonly runningMean: Variable;
  /** [C]; unbiased batch variance goes in, as PyTorch does */
  readonly runningVar: Variable;
  /** int32, [] or [1]: one more for each batch in training */
  readonly batches?: Variable;
}

/** Ranks that normalise with the statistics of all their batches. */
export interface BatchNormGroup {
  readonly size: number;
  /** The values of all ranks of the group, in their order; this thread waits for them. */
  gather(values: Float32Array): Float32Array;
}

export interface BatchNormOptions {
  readonly training: boolean;
  /** default 1e-5 */
  readonly eps?: number;
  /** share of the new batch in the running statistics; default 0.1 */
  readonly momentum?: number;
  /** apply ReLU to the result in the same kernel; default false */
  readonly relu?: boolean;
  /** in training: statistics over the batches of these ranks; default: this rank's own */
  readonly group?: BatchNormGroup;
  /** of x's shape: the result is relu(batch norm of x + addend) */
  readonly addend?: Tensor;
}

export interface CrossEntropyOptions {
  /** rows with this label count neither in the sum nor in the mean; default -1 */
  readonly ignoreIndex?: number;
  /** s: target = s / K + (1 - s) * one-hot; default 0 */
  readonly labelSmoothing?: number;
  /** [K] */
  readonly weight?: Tensor;
}

export interface SgdOptions {
  readonly lr: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly nesterov: boolean;
  /** LARC: scale each gradient by trust * |p| / (|g| + wd * |p| + eps) before the step */
  readonly larc?: { readonly clip: boolean; readonly eps: number; readonly trustCoefficient: number };
}

/**
 * Fused operations, each with its gradient, on every backend: native where the backend can, composed otherwise.
 * All are recorded on the tape like any tfjs operation.
 */
export interface FusedOps {
  /** Run f with recording off: no gradient flows through what it makes (stop-gradient). Temporaries are freed. Synchronous. */
  noGrad<T extends tfjs.TensorContainer>(f: () => T): T;
  /** x [N, H, W, C], filter [kh, kw, C / groups, O], bias [O] → [N, H', W', O]; PyTorch's padding rule. */
  conv2d(x: Tensor, filter: Tensor, bias: Tensor | null, options?: ConvOptions): Tensor;
  /** x [N, ..., C] normalised over all axes but the last; scale and offset [C]; running statistics are updated in training. */
  batchNorm(
    x: Tensor,
    scale: Tensor | null,
    offset: Tensor | null,
    state: BatchNormState,
    options: BatchNormOptions,
  ): Tensor;
  /** GroupNorm with one group (VISSL's LayerNorm2d): x [N, H, W, C] normalised per sample over H, W, C; scale, offset [C]. */
  layerNorm2d(x: Tensor, scale: Tensor | null, offset: Tensor | null, eps?: number): Tensor;
  /** relu(a + b), same shapes. */
  addRelu(a: Tensor, b: Tensor): Tensor;
  maxPool(x: Tensor, options: PoolOptions): Tensor;
  avgPool(x: Tensor, options: PoolOptions): Tensor;
  /** PyTorch's AdaptiveAvgPool2d / AdaptiveMaxPool2d to [h, w]. */
  adaptiveAvgPool(x: Tensor, size: Pair): Tensor;
  adaptiveMaxPool(x: Tensor, size: Pair): Tensor;
  /** x [N, in] · weight [in, out] + bias [out]. */
  linear(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor;
  /** x / max(|x|₂, eps) along the last axis; eps 1e-12. */
  l2Normalize(x: Tensor, eps?: number): Tensor;
  /** along the last axis */
  logSoftmax(x: Tensor): Tensor;
  /** logits [N, K]; labels int32 [N] or soft float32 [N, K]; mean over counted rows → scalar. */
  crossEntropy(logits: Tensor, labels: Tensor, options?: CrossEntropyOptions): Tensor;
  /** Largest k along the last axis: values and int32 indices, ties broken by the lower index. */
  topk(x: Tensor, k: number): { values: Tensor; indices: Tensor };
  /**
   * One step over many parameters; assigns parameters and velocities in place.
   * g' = g + wd*p; v = momentum*v + g' (first step v = g'); p -= lr * (nesterov ? g' + momentum*v : v).
   * `started` false means the velocities hold nothing yet. Without momentum there are none.
   */
  sgd(parameters: Variable[], gradients: Tensor[], velocities: Variable[], started: boolean, options: SgdOptions): void;
  /**
   * Overwrite rows of a variable [...many, ...row] with values [n, ...row]; row numbers, all different, count through the
   * leading dimensions. In place where the backend can: then it costs what the rows cost, however large the variable.
   */
  writeRows(variable: Variable, rows: Int32Array, values: Tensor): void;
}

/** A gradient tape owned by the step. */
export interface Tape {
  /** Run f with recording off; what f makes is not differentiated. Re-entrant. */
  pause<T>(f: () => T): T;
  /**
   * Gradients of a scalar with respect to the variables; walks the tape once, freeing saved tensors as it goes. Null where
   * the loss does not depend on the variable. Closes the tape.
   * @param ready told each gradient as soon as nothing more is added to it, while the walk goes on; it must not free it
   */
  backward(loss: Tensor, variables: Variable[], ready?: (gradient: Tensor, index: number) => void): (Tensor | null)[];
  /** Close without walking (after an error, or in evaluation). */
  close(): void;
}

/** A place in a stream that others wait for. */
export interface StreamMark {
  readonly stream: string;
  readonly name: string;
}

/**
 * Ordered lanes of work on a device, by name; those of one name are one. What is put on none is on `main`.
 */
export interface DeviceStreams {
  /**
   * Put work on a stream: what `work` asks of the device runs there, in order; of asynchronous work, all that is asked
   * for until it is done.
   */
  run<T>(stream: string, work: () => T): T;
  /** Everything put on the stream so far is done when the mark is reached. */
  record(stream: string, name: string): StreamMark;
  /** What is put on `stream` from now on runs after the mark. */
  wait(stream: string, mark: StreamMark): void;
  /** The stream reads tensors that were made on another: their memory is not used again before it has, once they are freed. */
  share(stream: string, tensors: readonly Tensor[]): void;
}

/** One tensor backend, chosen and ready. */
export interface TensorBackend {
  /** wasm | cpu | torch | tensorflow | webgpu */
  readonly name: string;
  /** e.g. "CPU, 2 threads, SIMD" */
  readonly device: string;
  readonly tf: TensorApi;
  readonly ops: FusedOps;
  /** Make this backend the one that operations run on (a process may have several open). */
  activate(): void;
  /** absent where the device does one thing after the other */
  readonly streams?: DeviceStreams;
  /**
   * Run f with matrix products and convolutions in this format, until what it promises is done; outside they are float32.
   * Tensors may be kept in the format; `cast` to float32 gives one that is not.
   * @throws Missing where this backend has no such products
   */
  withPrecision<T>(precision: Precision, f: () => T): T;
  openTape(): Tape;
  /** Run f in a scope: everything it makes and does not keep is freed at the end, also after an error. Result tensors survive. Works with an open tape. */
  scope<T>(f: () => T): T;
  scopeAsync<T>(f: () => Promise<T>): Promise<T>;
  /** Kernels this backend registers, for the check of a plan before it runs. */
  kernels(): ReadonlySet<string>;
  /** Live tensors and bytes. */
  memory(): { tensors: number; bytes: number };
  /** Resolves when all queued work is done. */
  sync(): Promise<void>;
}
