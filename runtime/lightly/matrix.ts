/** Rows of numbers, one row per sample, one after the other. */
export interface Matrix<A extends Float32Array | Float64Array | Int32Array = Float32Array | Float64Array> {
  readonly data: A;
  readonly rows: number;
  readonly columns: number;
}

export const rowOf = <A extends Float32Array | Float64Array | Int32Array>({ data, columns }: Matrix<A>, i: number): A =>
  data.subarray(i * columns, (i + 1) * columns) as A;
