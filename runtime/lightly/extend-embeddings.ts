import { type Matrix, rowOf } from './matrix.ts';

/**
 * More columns after those of an embedding: of a table with embedding_0 … embedding_{d-1} they become embedding_d, … when
 * it is saved, so that the columns stay in order and side by side. Throws a RangeError when the rows differ.
 */
export function extendEmbeddings(embeddings: Matrix<Float32Array>, more: Matrix<Float32Array>): Matrix<Float32Array> {
  const { rows } = embeddings;
  if (rows !== more.rows) throw new RangeError(`${rows} embeddings cannot take columns of ${more.rows} rows`);
  const columns = embeddings.columns + more.columns;
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    data.set(rowOf(embeddings, i), i * columns);
    data.set(rowOf(more, i), i * columns + embeddings.columns);
  }
  return { rows, columns, data };
}
