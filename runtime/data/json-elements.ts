/** Large JSON files, element by element: annotations of 450 MB need not be one text, nor one value in memory. */
import { createReadStream } from 'node:fs';

const [QUOTE, BACKSLASH, OPEN, CLOSE, LIST, END, COMMA, COLON] = [...'"\\{}[],:'].map((c) => c.charCodeAt(0));
const SPACE = 0x20;
const CHUNK = 4 << 20;

/**
 * Calls `visit` for each element of the arrays that stand under these keys of the object that the file is. Throws an
 * Error that names the file, or the signal's reason.
 */
export async function eachElement(
  file: string,
  keys: readonly string[],
  visit: (key: string, element: unknown) => void,
  signal?: AbortSignal,
): Promise<void> {
  const scanner = new ElementScanner(file, new Set(keys), visit);
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK, signal })) scanner.scan(chunk as Buffer);
  scanner.end();
}

/** Finds where elements begin and end; depth 1 is inside the object, depth 2 inside one of its arrays. */
class ElementScanner {
  readonly #file: string;
  readonly #keys: ReadonlySet<string>;
  readonly #visit: (key: string, element: unknown) => void;
  #depth = 0;
  #quoted = false;
  #escaped = false;
  #key: string | undefined;
  /** pieces of the element, or of the text at depth 1, from earlier chunks */
  #pieces: Buffer[] = [];
  #capturing = false;
  #wanted = false;
  #complete = false;

  constructor(file: string, keys: ReadonlySet<string>, visit: (key: string, element: unknown) => void) {
    this.#file = file;
    this.#keys = keys;
    this.#visit = visit;
  }

  scan(chunk: Buffer): void {
    let start = 0;
    const take = (end: number): string => {
      const text = Buffer.concat([...this.#pieces, chunk.subarray(start, end)]).toString('utf8');
      this.#pieces = [];
      this.#capturing = false;
      return text;
    };
    const begin = (at: number) => {
      this.#capturing = true;
      start = at;
    };
    for (let i = 0; i < chunk.length; i++) {
      const c = chunk[i];
      if (this.#quoted) {
        if (this.#escaped) this.#escaped = false;
        else if (c === BACKSLASH) this.#escaped = true;
        else if (c === QUOTE) {
          this.#quoted = false;
          if (this.#depth === 1) this.#key = this.#parse(take(i + 1)) as string;
        }
        continue;
      }
      if (c <= SPACE) continue;
      if (this.#complete) throw this.#broken('more follows after its end');
      const atElement = this.#depth === 2 && this.#wanted;
      if (atElement && this.#capturing && (c === COMMA || c === END)) this.#element(take(i));
      if (atElement && !this.#capturing && c !== COMMA && c !== END) begin(i);
      if (c === QUOTE) {
        this.#quoted = true;
        if (this.#depth === 1) begin(i);
      } else if (c === OPEN || c === LIST) {
        if (this.#depth === 0 && c !== OPEN) throw this.#broken('it is not an object');
        if (this.#depth === 1) this.#wanted = c === LIST && this.#keys.has(this.#key ?? '');
        this.#depth++;
      } else if (c === CLOSE || c === END) {
        this.#depth--;
        if (this.#depth === 0) this.#complete = true;
        if (this.#depth === 2 && this.#wanted) this.#element(take(i + 1));
      } else if (this.#depth === 0) throw this.#broken('it is not an object');
      else if (c === COLON && this.#depth === 1 && this.#key === undefined) throw this.#broken('a value has no key');
    }
    if (this.#capturing) this.#pieces.push(chunk.subarray(start));
  }

  end(): void {
    if (!this.#complete) throw this.#broken('it ends too early');
  }

  #element(text: string): void {
    this.#visit(this.#key!, this.#parse(text));
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw this.#broken((cause as Error).message);
    }
  }

  #broken(why: string): Error {
    return new Error(`${this.#file} is not valid JSON: ${why}`);
  }
}
