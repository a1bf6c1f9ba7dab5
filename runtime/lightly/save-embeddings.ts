import { csvCell, csvLine, inBlocks } from './csv-text.ts';
import { type Matrix, rowOf } from './matrix.ts';
import { floatText } from './number-text.ts';
import { writeAside } from './write-aside.ts';

/**
 * Writes embeddings, labels and file names as lightly's CSV (lightly.utils.io.save_embeddings), byte for byte: CRLF,
 * UTF-8, floats with the fewest digits that read back as the same float32 (or float64), whole numbers of Int32Arrays
 * without a point. The file appears whole or not at all. Throws a RangeError when the lengths differ.
 */
export async function saveEmbeddings(
  path: string,
  embeddings: Matrix<Float32Array | Float64Array | Int32Array>,
  labels: ArrayLike<number>,
  filenames: readonly string[],
): Promise<void> {
  const { rows, columns, data } = embeddings;
  if (rows !== labels.length || rows !== filenames.length) {
    throw new RangeError(
      `${path}: ${rows} embeddings, ${labels.length} labels and ${filenames.length} file names were given. Give as many of each.`,
    );
  }
  if (data.length !== rows * columns) {
    throw new RangeError(`${path}: ${rows} embeddings of ${columns} values are not ${data.length} values`);
  }
  await writeAside(path, inBlocks(lines(embeddings, labels, filenames)));
}

function* lines(
  embeddings: Matrix<Float32Array | Float64Array | Int32Array>,
  labels: ArrayLike<number>,
  filenames: readonly string[],
): Generator<string, void> {
  const { rows, columns, data } = embeddings;
  const single = data instanceof Float32Array;
  const text = data instanceof Int32Array ? String : (x: number) => floatText(x, single);
  yield csvLine(['filenames', ...Array.from({ length: columns }, (_, i) => `embedding_${i}`), 'labels']);
  for (let i = 0; i < rows; i++) {
    const values = Array.from(rowOf(embeddings, i), text).join(',');
    yield `${csvCell(filenames[i])},${columns > 0 ? `${values},` : ''}${labels[i]}\r\n`;
  }
}
