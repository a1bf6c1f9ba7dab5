/**
 * The seam between fused operations and backends. An operation (ops/) adds the gradient; a kernel only computes. A
 * backend brings the kernels that it does better than the composed ones; all others are composed from tfjs operations.
 * Kernels run with recording off; temporaries that they leave are freed. Shapes: NHWC, HWIO.
 */
import type { ConvGeometry, PoolGeometry } from './geometry.ts';
import type { BatchNormState, SgdOptions, Tensor, Variable } from './types.ts';

export interface BatchNormTraining {
  readonly y: Tensor;
  /** what batchNormGrad needs again: mean and 1 / sqrt(variance + eps), [C] each */
  readonly mean: Tensor;
  readonly invStd: Tensor;
}

export interface BatchNormGradients {
  readonly dx: Tensor;
  readonly dScale: Tensor;
  readonly dOffset: Tensor;
}

export interface FusedKernels {
  conv2d(x: Tensor, filter: Tensor, bias: Tensor | null, g: ConvGeometry): Tensor;
  /** `x` and `filter`, where they are at hand: what a gradient is the gradient of, for its shape and order alone. */
  conv2dInputGrad(dy: Tensor, filter: Tensor, g: ConvGeometry, x?: Tensor): Tensor;
  conv2dFilterGrad(x: Tensor, dy: Tensor, g: ConvGeometry, filter?: Tensor): Tensor;

  /** With the statistics of the batch; updates the running ones in place (unbiased variance), and the count of batches. */
  batchNormTrain(
    x: Tensor,
    scale: Tensor | null,
    offset: Tensor | null,
    state: BatchNormState,
    options: { readonly eps: number; readonly momentum: number; readonly relu: boolean },
  ): BatchNormTraining;
  /** With given statistics. */
  batchNormEval(
    x: Tensor,
    scale: Tensor | null,
    offset: Tensor | null,
    mean: Tensor,
    variance: Tensor,
    options: { readonly eps: number; readonly relu: boolean },
  ): Tensor;
  /**
   * `y` is given where ReLU was applied: dy counts where y > 0, which `x`, `scale` and `offset` tell as well. dScale and
   * dOffset are [C] also without affine.
   */
  batchNormGrad(
    dy: Tensor,
    x: Tensor,
    y: Tensor | null,
    scale: Tensor | null,
    offset: Tensor | null,
    mean: Tensor,
    invStd: Tensor,
  ): BatchNormGradients;
  /** relu(batch norm of x + addend) with the statistics of the batch, where a backend has it in fewer passes. */
  readonly batchNormAddRelu?: {
    train(
      x: Tensor,
      addend: Tensor,
      scale: Tensor | null,
      offset: Tensor | null,
      state: BatchNormState,
      options: { readonly eps: number; readonly momentum: number },
    ): BatchNormTraining;
    grad(
      dy: Tensor,
      x: Tensor,
      y: Tensor,
      scale: Tensor | null,
      mean: Tensor,
      invStd: Tensor,
    ): BatchNormGradients & { readonly dAddend: Tensor };
  };

  addRelu(a: Tensor, b: Tensor): Tensor;
  /** dy where y > 0, else 0 */
  reluGrad(dy: Tensor, y: Tensor): Tensor;

  /** `saved` is what maxPoolGrad reads: indices, or input and output; the first largest of a window counts. */
  maxPool(x: Tensor, g: PoolGeometry): { y: Tensor; saved: Tensor[] };
  maxPoolGrad(dy: Tensor, saved: Tensor[], g: PoolGeometry): Tensor;
  /** Sum over each window. */
  sumPool(x: Tensor, g: PoolGeometry): Tensor;
  sumPoolGrad(dy: Tensor, g: PoolGeometry): Tensor;

  sgd(parameters: Variable[], gradients: Tensor[], velocities: Variable[], started: boolean, options: SgdOptions): void;

  /** `width` values make a row; numbers are inside, shapes and types agree. */
  writeRows(variable: Variable, rows: Int32Array, values: Tensor, width: number): void;
}
