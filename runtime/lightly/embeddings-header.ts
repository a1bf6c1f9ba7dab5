/** The header of lightly's embeddings CSV: filenames, embedding_0 … embedding_{d-1}, labels. */
import { EmbeddingsError } from './embeddings-error.ts';

const EMBEDDING = /^embedding_\d+/;
/** columns of older lightly versions that the check lets pass */
const TOLERATED = ['masked', 'selected'];
// Python's idea of blanks at either end: those of JavaScript without the byte order mark, and some control characters
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these count as blanks
const BLANK_AT_AN_END = /^(?!\uFEFF)[\s\x1c-\x1f\x85]|(?!\uFEFF)[\s\x1c-\x1f\x85]$/;
const BYTE_ORDER_MARK = '\uFEFF';

/** Throws an EmbeddingsError with the first fault of the header, in the order of lightly's check. */
export function checkHeader(path: string, header: readonly string[]): void {
  const blank = header.findIndex((cell) => BLANK_AT_AN_END.test(cell));
  if (blank >= 0) {
    const what = `column ${blank + 1} of the header, ${JSON.stringify(header[blank])}, has blanks around its name`;
    throw new EmbeddingsError(path, what, 'Remove the whitespace');
  }
  if (header[0] !== 'filenames') {
    const marked = header[0].startsWith(BYTE_ORDER_MARK);
    const why = marked ? `a byte order mark stands before the first column` : `the first column is "${header[0]}"`;
    const cure = marked ? 'Save the file as UTF-8 without a byte order mark' : 'It must be "filenames"';
    throw new EmbeddingsError(path, why, cure);
  }
  const labels = header.indexOf('labels');
  if (labels < 0) throw new EmbeddingsError(path, 'there is no column "labels"', 'Add it after the embeddings');
  const strange = header.slice(1, labels).find((cell) => !EMBEDDING.test(cell) && !TOLERATED.includes(cell));
  if (strange !== undefined) {
    const why = `column "${strange}" stands among the embeddings`;
    throw new EmbeddingsError(path, why, 'Between "filenames" and "labels" only embedding_0, embedding_1, … may stand');
  }
}

/** Positions of the columns that belong to the format. */
export function formatColumns(header: readonly string[]): number[] {
  const belongs = (cell: string) => cell === 'filenames' || cell === 'labels' || EMBEDDING.test(cell);
  return [...header.keys()].filter((i) => belongs(header[i]));
}

/**
 * What the check lets pass although reading goes by position (first cell the file name, last cell the label, all others
 * the embedding): columns that would be taken for something else. One sentence each; none for a clean header.
 */
export function headerWarnings(header: readonly string[]): string[] {
  const warnings: string[] = [];
  const last = header.at(-1);
  if (last !== 'labels') warnings.push(`the last column is "${last}", and is read as the labels`);
  for (const cell of header.slice(1, -1)) {
    if (!EMBEDDING.test(cell)) warnings.push(`column "${cell}" is read as a part of the embedding`);
  }
  const numbers = header.filter((cell) => EMBEDDING.test(cell)).map((cell) => Number(cell.slice(10)));
  const first = numbers.findIndex((number, i) => number !== i);
  if (first >= 0) {
    const found = header.filter((cell) => EMBEDDING.test(cell))[first];
    warnings.push(`"${found}" stands where embedding_${first} should: the columns are not numbered in order`);
  }
  return warnings;
}
