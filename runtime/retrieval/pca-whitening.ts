/** Principal components with whitening, as VISSL's retrieval applies them to descriptors. */
import { symmetricEigen } from '../linear/symmetric-eigen.ts';

export interface PcaWhitening {
  readonly width: number;
  readonly components: number;
  /** [width] */
  readonly mean: Float64Array;
  /** [components, width]: eigenvectors over the root of their eigenvalues */
  readonly matrix: Float64Array;
}

/** Eigenvalues below this share of the largest are raised to it. */
const SMALLEST = 1e-5;

/**
 * Of rows in `values`. As in the reference code the eigenvalues are those of XᵀX, not divided by the number of rows.
 * @param components largest ones to keep; 0 or less: all
 */
export function fitPcaWhitening(values: ArrayLike<number>, width: number, components: number): PcaWhitening {
  const rows = values.length / width;
  if (rows < 1) throw new Error('there are no descriptors to fit principal components to');
  const mean = new Float64Array(width);
  for (let i = 0; i < values.length; i++) mean[i % width] += values[i] / rows;
  const covariance = new Float64Array(width * width);
  const row = new Float64Array(width);
  for (let start = 0; start < values.length; start += width) {
    for (let j = 0; j < width; j++) row[j] = values[start + j] - mean[j];
    for (let i = 0; i < width; i++) {
      const own = row[i];
      for (let j = 0, at = i * width; j <= i; j++) covariance[at + j] += own * row[j];
    }
  }
  const count = components > 0 ? Math.min(components, width) : width;
  const { values: eigenvalues, vectors } = symmetricEigen(covariance, width, count);
  const floor = SMALLEST * eigenvalues[0];
  const matrix = new Float64Array(count * width);
  vectors.forEach((vector, i) => {
    const scale = 1 / Math.sqrt(Math.max(eigenvalues[i], floor));
    vector.forEach((x, j) => {
      matrix[i * width + j] = x * scale;
    });
  });
  return { width, components: count, mean, matrix };
}

/** Rows projected: [rows, components]. */
export function whiten({ width, components, mean, matrix }: PcaWhitening, values: ArrayLike<number>): Float64Array {
  const rows = values.length / width;
  const result = new Float64Array(rows * components);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < components; c++) {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += matrix[c * width + j] * (values[row * width + j] - mean[j]);
      result[row * components + c] = sum;
    }
  }
  return result;
}
