import { csvRows } from './csv-rows.ts';
import { csvLine, inBlocks } from './csv-text.ts';
import { EmbeddingsError } from './embeddings-error.ts';
import { checkHeader, formatColumns } from './embeddings-header.ts';
import { writeAside } from './write-aside.ts';

export interface CheckEmbeddingsOptions {
  /** rewrite the file with the columns filenames, embedding_<n> and labels only; default false */
  readonly removeAdditionalColumns?: boolean;
}

/**
 * Throws an EmbeddingsError when the file is not an embeddings CSV of lightly: blanks around a column's name, a first
 * column other than `filenames`, no `labels`, another column than embedding_<n> between them, or an empty row. Numbers
 * are not looked at (`loadEmbeddings` does). Like lightly's check_embeddings (lightly.utils.io), it tolerates columns
 * `masked` and `selected`, any numbering, and columns after `labels`.
 */
export async function checkEmbeddings(path: string, options: CheckEmbeddingsOptions = {}): Promise<void> {
  let rows = 0;
  for await (const row of checkedRows(path)) rows += row.length > 0 ? 1 : 0;
  if (!options.removeAdditionalColumns || rows === 0) return;
  await writeAside(path, inBlocks(formatLines(path)));
}

/** Header, then rows; throws at the first fault. */
export async function* checkedRows(path: string): AsyncGenerator<string[], void> {
  let number = 0;
  for await (const row of csvRows(path)) {
    if (number === 0) checkHeader(path, row);
    else if (row.length === 0 || (row.length === 1 && row[0] === '')) {
      throw new EmbeddingsError(path, `row ${number} after the header is empty`, 'Remove empty lines');
    }
    number++;
    yield row;
  }
  if (number === 0) throw new EmbeddingsError(path, 'the file is empty', 'It must begin with filenames,embedding_0,…');
}

async function* formatLines(path: string): AsyncGenerator<string, void> {
  let kept: readonly number[] | undefined;
  for await (const row of csvRows(path)) {
    kept ??= formatColumns(row);
    yield csvLine(kept.filter((i) => i < row.length).map((i) => row[i]));
  }
}
