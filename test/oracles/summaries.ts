/** Comparisons with summaries of large tensors: moments, a few values, a norm. */
import type { Tensor, TensorBackend } from '../../runtime/tensor/types.ts';
import { same, within } from './compare.ts';
import { fromImages } from './layout.ts';

export interface FeatureSummary {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
  readonly first16: readonly number[];
  readonly sample_index: readonly number[];
  readonly sample_value: readonly number[];
}

/** Moments and samples within `tolerance` times the largest absolute value. Maps come NHWC. */
export async function nearFeature(
  backend: TensorBackend,
  got: Tensor,
  want: FeatureSummary,
  tolerance: number,
  what: string,
): Promise<void> {
  const { shape, values } = await inTorchOrder(backend, got);
  same(shape, [...want.shape], `${what}: shape`);
  const limit = tolerance * Math.max(Math.abs(want.min), Math.abs(want.max));
  const { mean, std } = moments(values);
  within(mean, want.mean, limit, `${what}: mean`);
  within(std, want.std, limit, `${what}: std`);
  within(
    values.reduce((a, b) => Math.min(a, b)),
    want.min,
    limit,
    `${what}: min`,
  );
  within(
    values.reduce((a, b) => Math.max(a, b)),
    want.max,
    limit,
    `${what}: max`,
  );
  for (const [i, value] of want.first16.entries()) within(values[i], value, limit, `${what}[${i}]`);
  for (const [j, i] of want.sample_index.entries()) within(values[i], want.sample_value[j], limit, `${what}[${i}]`);
}

export interface BriefSummary {
  readonly shape: readonly number[];
  readonly l2: number;
  readonly first4: readonly number[];
  readonly tol: number;
}

/** Norm and first values of numbers in PyTorch's order, within the summary's own tolerance. */
export function nearBrief(shape: readonly number[], values: Float32Array, want: BriefSummary, what: string): void {
  same([...shape], [...want.shape], `${what}: shape`);
  within(Math.sqrt(values.reduce((sum, x) => sum + x * x, 0)), want.l2, want.tol, `${what}: l2`);
  for (const [i, value] of want.first4.entries()) within(values[i], value, want.tol, `${what}[${i}]`);
}

export async function inTorchOrder(
  backend: TensorBackend,
  tensor: Tensor,
): Promise<{ shape: number[]; values: Float32Array }> {
  const ordered = fromImages(backend, tensor);
  const values = Float32Array.from(await ordered.data());
  if (ordered !== tensor) ordered.dispose();
  return { shape: ordered.shape, values };
}

function moments(values: Float32Array): { mean: number; std: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, std: Math.sqrt(squares / values.length) };
}
