/** CSV text as Python's csv module writes it: CRLF, quotes only where they are needed. */

const NEEDS_QUOTES = /[",\r\n]/;

export const csvCell = (text: string): string => (NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export const csvLine = (cells: readonly string[]): string => `${cells.map(csvCell).join(',')}\r\n`;

const BLOCK = 1 << 16;

/** Joins lines into blocks that are worth a write. */
export async function* inBlocks(lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string, void> {
  let block: string[] = [];
  let length = 0;
  for await (const line of lines) {
    block.push(line);
    length += line.length;
    if (length < BLOCK) continue;
    yield block.join('');
    block = [];
    length = 0;
  }
  if (length > 0) yield block.join('');
}
