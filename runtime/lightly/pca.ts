import { type Eigen, symmetricEigen } from '../linear/symmetric-eigen.ts';
import type { Matrix } from './matrix.ts';

export interface PcaOptions {
  /** default 2 */
  readonly components?: number;
  /** added to the centred data, as in the reference code; default 1e-10 */
  readonly eps?: number;
}

/** rows in a block of the covariance: they stay in the processor's cache while pairs of columns are summed */
const BLOCK = 16;

/**
 * Principal components (lightly.utils.embeddings_2d.PCA). `fit` and `transform` take rows of one width; components are
 * unit vectors, largest variance first, turned so that the entry of largest size is positive (the reference code leaves
 * the sign to chance). Sums are made in double precision. A covariance of d columns costs rows · d² / 2, its components
 * O(d³).
 */
export class Pca {
  readonly components: number;
  readonly eps: number;
  #mean: Float64Array | undefined;
  #eigen: Eigen | undefined;

  constructor({ components = 2, eps = 1e-10 }: PcaOptions = {}) {
    if (!Number.isInteger(components) || components < 1) {
      throw new RangeError(`components is ${components}; it must be a whole number from 1 on`);
    }
    this.components = components;
    this.eps = eps;
  }

  /** Of each column. */
  get mean(): Float64Array {
    return this.#fitted(this.#mean);
  }

  /** Of the covariance (divided by rows - 1) divided by rows once more, as in the reference code; largest first. */
  get eigenvalues(): Float64Array {
    return this.#fitted(this.#eigen).values;
  }

  /** The components, largest variance first. */
  get axes(): readonly Float64Array[] {
    return this.#fitted(this.#eigen).vectors;
  }

  /** Throws a RangeError with less than two rows, or numbers that are not finite. */
  fit({ data, rows, columns }: Matrix): this {
    if (rows < 2) throw new RangeError(`PCA needs two rows at least; there ${rows === 1 ? 'is one' : 'are none'}`);
    const mean = new Float64Array(columns);
    for (let i = 0, at = 0; i < rows; i++) for (let j = 0; j < columns; j++) mean[j] += data[at++];
    for (let j = 0; j < columns; j++) mean[j] /= rows;
    const covariance = sumOfProducts({ data, rows, columns }, mean);
    for (let i = 0; i < covariance.length; i++) covariance[i] /= (rows - 1) * rows;
    this.#eigen = symmetricEigen(covariance, columns, Math.min(this.components, columns));
    this.#mean = mean;
    return this;
  }

  /** Rows in the coordinates of the components: rows × min(components, columns). Throws an Error before `fit`. */
  transform({ data, rows, columns }: Matrix): Matrix<Float32Array> {
    const mean = this.#fitted(this.#mean);
    const { vectors } = this.#fitted(this.#eigen);
    if (columns !== mean.length) throw new RangeError(`${columns} columns, but PCA was fitted to ${mean.length}`);
    const result = new Float32Array(rows * vectors.length);
    for (let i = 0; i < rows; i++) {
      vectors.forEach((vector, k) => {
        let sum = 0;
        for (let j = 0, at = i * columns; j < columns; j++) sum += (data[at++] - mean[j] + this.eps) * vector[j];
        result[i * vectors.length + k] = sum;
      });
    }
    return { data: result, rows, columns: vectors.length };
  }

  #fitted<T>(value: T | undefined): T {
    if (value === undefined) throw new Error('PCA is not fitted yet: call fit() first');
    return value;
  }
}

/** Lower half of the sum of outer products of centred rows. */
function sumOfProducts({ data, rows, columns }: Matrix, mean: Float64Array): Float64Array {
  const sums = new Float64Array(columns * columns);
  const centred = new Float64Array(BLOCK * columns); // by column, so that the inner loop runs along memory
  for (let start = 0; start < rows; start += BLOCK) {
    const height = Math.min(BLOCK, rows - start);
    centred.fill(0);
    for (let r = 0; r < height; r++) {
      for (let j = 0; j < columns; j++) centred[j * BLOCK + r] = data[(start + r) * columns + j] - mean[j];
    }
    for (let i = 0; i < columns; i++) {
      const column = centred.subarray(i * BLOCK, (i + 1) * BLOCK);
      for (let j = 0; j <= i; j++) {
        let sum = 0;
        for (let r = 0, at = j * BLOCK; r < BLOCK; r++) sum += column[r] * centred[at++];
        sums[i * columns + j] += sum;
      }
    }
  }
  return sums;
}
