import { stat } from 'node:fs/promises';
import { checkedRows } from './check-embeddings.ts';
import { EmbeddingsError } from './embeddings-error.ts';
import type { Matrix } from './matrix.ts';
import { parseFloating, parseWhole } from './number-parse.ts';

export interface EmbeddingTable<A extends Float32Array | Float64Array = Float32Array> {
  /** one row per sample, in the order of the file */
  readonly embeddings: Matrix<A>;
  readonly labels: readonly number[];
  readonly filenames: readonly string[];
  /** names of the columns */
  readonly header: readonly string[];
}

export interface LoadEmbeddingsOptions<P extends 'float32' | 'float64' = 'float32'> {
  /** default float32 */
  readonly precision?: P;
}

type ArrayOf<P> = P extends 'float64' ? Float64Array : Float32Array;

/**
 * Embeddings, labels and file names of an embeddings CSV (lightly.utils.io.load_embeddings). By position: the first cell
 * of a row is the file name, the last one the label, all between are the embedding; see `headerWarnings`.
 * float32 as lightly documents; its newest versions give float64: ask for it with `precision`.
 * Throws an EmbeddingsError: faults of the header and empty rows as `checkEmbeddings`, rows of another length than the
 * header, values that are no numbers, labels that are no whole numbers, names that are not UTF-8.
 */
export async function loadEmbeddings<P extends 'float32' | 'float64' = 'float32'>(
  path: string,
  options: LoadEmbeddingsOptions<P> = {},
): Promise<EmbeddingTable<ArrayOf<P>>> {
  const labels: number[] = [];
  const filenames: string[] = [];
  let header: readonly string[] | undefined;
  let store: RowStore | undefined;
  let row = 0;
  for await (const cells of checkedRows(path)) {
    if (header === undefined) {
      header = cells;
      store = new RowStore(Math.max(0, cells.length - 2), options.precision === 'float64');
      continue;
    }
    row++;
    if (cells.length !== header.length) {
      const why = `row ${row} after the header has ${cells.length} cells, the header ${header.length}`;
      throw new EmbeddingsError(path, why, 'Give every row a cell for every column');
    }
    if (row === 1) store!.expect(await rowsIn(path, cells));
    readRow(path, row, cells, header, store!);
    filenames.push(cells[0]);
    labels.push(labelOf(path, row, cells[cells.length - 1]));
  }
  return { embeddings: store!.finish() as Matrix<ArrayOf<P>>, labels, filenames, header: header! };
}

function readRow(path: string, row: number, cells: readonly string[], header: readonly string[], store: RowStore) {
  if (cells[0].includes('\uFFFD')) {
    throw new EmbeddingsError(path, `the file name in row ${row} is not UTF-8`, 'Save the file as UTF-8');
  }
  store.begin();
  for (let i = 1; i < cells.length - 1; i++) {
    const value = parseFloating(cells[i]);
    if (value === undefined) {
      const why = `row ${row}, column "${header[i]}": ${JSON.stringify(cells[i])} is not a number`;
      throw new EmbeddingsError(path, why, 'Columns between the first and the last hold numbers');
    }
    store.add(value);
  }
}

function labelOf(path: string, row: number, cell: string): number {
  const label = parseWhole(cell);
  if (label !== undefined) return label;
  const why = `row ${row}: the label ${JSON.stringify(cell)} is not a whole number`;
  throw new EmbeddingsError(path, why, 'The last column holds the labels; remove columns after it');
}

/** About how many rows there are, from the length of the first. */
async function rowsIn(path: string, first: readonly string[]): Promise<number> {
  const length = first.reduce((sum, cell) => sum + Buffer.byteLength(cell) + 1, 1);
  return Math.ceil(((await stat(path)).size / length) * 1.05);
}

/** Numbers row by row in one array, made for as many rows as expected and grown by half beyond. */
class RowStore {
  readonly #columns: number;
  readonly #wide: boolean;
  #data: Float32Array | Float64Array;
  #rows = 0;
  #used = 0;

  constructor(columns: number, wide: boolean) {
    this.#columns = columns;
    this.#wide = wide;
    this.#data = this.#array(0);
  }

  #array(length: number): Float32Array | Float64Array {
    return this.#wide ? new Float64Array(length) : new Float32Array(length);
  }

  expect(rows: number): void {
    this.#data = this.#array(rows * this.#columns);
  }

  begin(): void {
    this.#rows++;
    if (this.#rows * this.#columns <= this.#data.length) return;
    const grown = this.#array(Math.ceil(this.#rows * 1.5) * this.#columns);
    grown.set(this.#data);
    this.#data = grown;
  }

  add(value: number): void {
    this.#data[this.#used++] = value;
  }

  finish(): Matrix {
    // half the memory again is worth a copy, a few per cent are not
    const data = this.#used < this.#data.length * 0.75 ? this.#data.slice(0, this.#used) : this.#data;
    return { data: data.subarray(0, this.#used), rows: this.#rows, columns: this.#columns };
  }
}
