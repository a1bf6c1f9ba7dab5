/** Rows of a CSV file, read as it is needed: files may be larger than memory. */
import { createReadStream } from 'node:fs';
import { CsvError, parse } from 'csv-parse';
import { EmbeddingsError } from './embeddings-error.ts';

/**
 * Cells of each row; an empty line is a row of one empty cell. Line ends may be CRLF, LF or CR; cells may be quoted, and
 * then hold commas, doubled quotes and line ends. A quote anywhere else is an error, as it is the trace of a damaged file
 * (Python's csv module would guess). Throws an EmbeddingsError.
 */
export async function* csvRows(path: string): AsyncGenerator<string[], void> {
  const parser = parse({
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: false,
  });
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  file.on('error', (error) => parser.destroy(error));
  file.pipe(parser);
  try {
    yield* parser as AsyncIterable<string[]>;
  } catch (error) {
    throw explain(path, error);
  } finally {
    file.destroy();
    parser.destroy();
  }
}

function explain(path: string, error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  const options = { cause: error };
  if (code === 'ENOENT') return new EmbeddingsError(path, 'there is no such file', 'Check the path', options);
  if (code === 'EISDIR') return new EmbeddingsError(path, 'it is a folder', 'Name the CSV file in it', options);
  if (code === 'EACCES') return new EmbeddingsError(path, 'it cannot be read', 'Check its permissions', options);
  if (!(error instanceof CsvError)) return error;
  const cure = code.includes('QUOTE')
    ? 'Close open quotes, and double those that belong to a name'
    : 'Write the file anew';
  return new EmbeddingsError(path, `not a CSV file: ${error.message.replace(/\.$/, '')}`, cure, options);
}
