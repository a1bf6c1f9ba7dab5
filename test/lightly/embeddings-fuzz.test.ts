import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { checkEmbeddings } from '../../runtime/lightly/check-embeddings.ts';
import { EmbeddingsError } from '../../runtime/lightly/embeddings-error.ts';
import { loadEmbeddings } from '../../runtime/lightly/load-embeddings.ts';
import { createRandom, type Random } from '../../runtime/random.ts';
import { testFolder } from './folder.ts';

const HEADER = 'filenames,embedding_0,embedding_1,labels\r\n';
const ROWS = `a.jpg,0.5,-1.25,0\r\n"b,c.jpg",1e-07,3.0,7\r\ndir/d.png,nan,inf,-1\r\n"say ""e"".jpg",0.0,-0.0,12\r\n`;
const WHOLE = HEADER + ROWS.repeat(3);
const PIECES = [',', '"', '""', '\r', '\n', '\r\n', ' ', '\t', '\0', '\uFEFF', 'é', '𐍈', '-', '1e999', '0x1', '_'];

/** One or two changes of bytes: some taken out, doubled, overwritten, exchanged, cut off, or pieces put in. */
function mutated(random: Random): Buffer {
  let bytes = Buffer.from(WHOLE);
  for (let changes = 1 + random.integer(2); changes > 0 && bytes.length > 0; changes--) {
    const at = random.integer(bytes.length);
    const end = Math.min(bytes.length, at + 1 + random.integer(6));
    const [before, part, after] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
    const kinds: readonly (() => Buffer[])[] = [
      () => [before, after],
      () => [before, part, part, after],
      () => [before],
      () => [before, Buffer.from(PIECES[random.integer(PIECES.length)]), part, after],
      () => [before, Buffer.from([random.integer(256)]), bytes.subarray(at + 1)],
      () => [after, part, before],
    ];
    bytes = Buffer.concat(kinds[random.integer(kinds.length)]());
  }
  return bytes;
}

describe('a damaged embeddings file', () => {
  const path = testFolder();

  it('gives a clear error or a whole table: 1,000 mutants', async () => {
    let refused = 0;
    for (let i = 0; i < 1000; i++) {
      const bytes = mutated(createRandom(i, 'fuzz'));
      const file = path('mutant.csv');
      writeFileSync(file, bytes);
      const what = `mutant ${i}: ${JSON.stringify(bytes.toString('latin1'))}`;
      const loaded = await loadEmbeddings(file).catch((error: unknown) => error);
      if (loaded instanceof Error) {
        assert(loaded instanceof EmbeddingsError, `${what}: ${loaded.stack}`);
        assert(loaded.message.startsWith(file) && /[^.]\.$/.test(loaded.message), `${what}: ${loaded.message}`);
        refused++;
        continue;
      }
      await checkEmbeddings(file);
      const table = loaded as Awaited<ReturnType<typeof loadEmbeddings>>;
      const [header, ...rows] = plainRows(bytes.toString('utf8'));
      assert.deepEqual(table.header, header, what);
      assert.deepEqual(table.filenames, rows.map((row) => row[0]), what); // biome-ignore format: one thought
      assert.deepEqual(table.labels, rows.map((row) => number(row.at(-1)!)), what); // biome-ignore format: one thought
      const values = rows.flatMap((row) => row.slice(1, -1).map(number));
      assert.deepEqual(table.embeddings.data, Float32Array.from(values), what);
    }
    assert(refused > 300 && refused < 900, `${refused} mutants refused`);
  });
});

const WORDS: Readonly<Record<string, number>> = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY };

function number(text: string): number {
  const bare = text.trim().replaceAll('_', '');
  const [, sign, word] = /^([+-]?)([a-z]+)$/i.exec(bare) ?? [];
  return word ? WORDS[word.toLowerCase().slice(0, 3)] * (sign === '-' ? -1 : 1) : Number(bare);
}

/** Rows of CSV text, letter by letter, as the csv module of Python reads them. */
function plainRows(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let inQuotes = false;
  let begun = false;
  const endCell = () => {
    row.push(cell);
    [cell, begun] = ['', false];
  };
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    if (inQuotes) {
      if (letter !== '"') cell += letter;
      else if (text[i + 1] === '"') cell += text[++i];
      else inQuotes = false;
    } else if (letter === '"' && !begun) [inQuotes, begun] = [true, true];
    else if (letter === ',') endCell();
    else if (letter === '\r' || letter === '\n') {
      if (letter === '\r' && text[i + 1] === '\n') i++;
      endCell();
      rows.push(row);
      row = [];
    } else [cell, begun] = [cell + letter, true];
  }
  if (row.length > 0 || cell !== '' || begun) {
    endCell();
    rows.push(row);
  }
  return rows;
}
