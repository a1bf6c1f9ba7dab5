/** Lists of image files: .npy, .pkl, .json, .txt, .csv. */
import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { readNpyStrings } from './npy-values.ts';
import { PathEntries, type PathList } from './path-entries.ts';
import { pickledStrings } from './pickled-strings.ts';
import { textLines } from './text-lines.ts';

export const LIST_FORMATS = '.npy, .pkl, .json, .txt or .csv';
/** JSON is read as one text, and a text cannot be longer */
const LARGEST_JSON = 512 << 20;
const PATH_COLUMNS = ['path', 'file', 'filename', 'filenames', 'image'];
const LABEL_COLUMNS = ['label', 'labels', 'class'];

/** Throws an Error that names the file and the entry. */
export async function readPathList(file: string): Promise<PathList> {
  switch (extname(file).toLowerCase()) {
    case '.npy':
      return { paths: await readNpyStrings(file) };
    case '.pkl':
    case '.pickle':
      return { paths: pickledStrings(await readFile(file), file) };
    case '.json':
      return readJson(file);
    case '.csv':
      return readRows(file, csvRow);
    case '.txt':
      return readRows(file, textRow);
    default:
      throw new Error(`${file}: the format of a list is told by its suffix, and it must be ${LIST_FORMATS}`);
  }
}

async function readJson(file: string): Promise<PathList> {
  const { size } = await stat(file);
  if (size > LARGEST_JSON) throw new Error(`${file} has ${size} bytes, too many for .json: use .txt, .csv or .npy`);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new Error(`${file} is not valid JSON: ${(cause as Error).message}`, { cause });
  }
  if (!Array.isArray(content)) throw new Error(`${file} is not a list: expected ["a.jpg", …] or [["a.jpg", 3], …]`);
  const entries = new PathEntries(file);
  for (const entry of content as unknown[]) {
    if (Array.isArray(entry)) entries.add(entry[0], entry[1]);
    else if (typeof entry !== 'object' || entry === null) entries.add(entry, undefined);
    else {
      const named = entry as Record<string, unknown>;
      const cell = (columns: readonly string[]) => named[columns.find((key) => key in named) ?? columns[0]];
      const partial = 'positive' in named ? { positive: named.positive, negative: named.negative ?? [] } : undefined;
      entries.add(cell(PATH_COLUMNS), partial ?? cell(LABEL_COLUMNS));
    }
  }
  return entries.finish();
}

/** Cells of a line; the first line tells which hold path and label. */
type Row = (line: string) => readonly string[];

async function readRows(file: string, split: Row): Promise<PathList> {
  const entries = new PathEntries(file);
  let columns: { path: number; label: number } | undefined;
  for await (const lines of textLines(file)) {
    for (const line of lines) {
      if (line.trim() === '') continue;
      const cells = split(line);
      if (!columns) {
        const names = cells.map((cell) => cell.trim().toLowerCase());
        const path = names.findIndex((name) => PATH_COLUMNS.includes(name));
        const header = path >= 0;
        columns = header
          ? { path, label: names.findIndex((name) => LABEL_COLUMNS.includes(name)) }
          : { path: 0, label: cells.length > 1 ? 1 : -1 };
        if (header) continue;
      }
      entries.add(cells[columns.path], columns.label < 0 ? undefined : numbered(cells[columns.label]));
    }
  }
  return entries.finish();
}

/** A class number is kept as one: ten million of them take less memory than their texts. */
function numbered(cell: string | undefined): string | number | undefined {
  const text = cell?.trim();
  return text !== undefined && CANONICAL.test(text) ? Number(text) : text;
}

/** Text that a number gives again when it is written. */
const CANONICAL = /^(0|-?[1-9]\d{0,8})$/;

/** A path; a number or a tab and a label may follow. */
function textRow(line: string): readonly string[] {
  if (line.includes('\t')) return line.split('\t');
  const text = line.trimEnd();
  let at = text.length;
  while (at > 0 && isDigit(text.charCodeAt(at - 1))) at--;
  if (at === text.length) return [text];
  if (text[at - 1] === '-') at--;
  const path = text.slice(0, at).trimEnd();
  return path !== '' && path.length < at ? [path, text.slice(at)] : [text];
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** RFC 4180, without line breaks in quotes. */
function csvRow(line: string): readonly string[] {
  if (!line.includes('"')) return line.split(',');
  const cells: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const c = line[i];
    if (quoted && c === '"' && line[i + 1] === '"') {
      cell += '"';
      i++;
    } else if (c === '"' && (quoted || cell === '')) quoted = !quoted;
    else if (c === ',' && !quoted) {
      cells.push(cell);
      cell = '';
    } else cell += c;
  }
  cells.push(cell);
  return cells;
}
