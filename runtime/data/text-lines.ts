/** Lines of large text files, a block at a time: an event for each of ten million lines would cost more than all the rest. */
import { createReadStream } from 'node:fs';
import { extname } from 'node:path';

const BLOCK = 1 << 20;

/** Blocks of whole lines, which end at \n or \r\n; a byte order mark is left out. @throws where a byte is zero */
export async function* textLines(file: string): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  const refuse = (text: string): void => {
    if (text.includes('\0')) throw new Error(`${file} holds bytes that are no text: it is not a ${extname(file)} file`);
  };
  for await (const bytes of createReadStream(file, { highWaterMark: BLOCK })) {
    const text = rest + decoder.decode(bytes as Buffer, { stream: true });
    refuse(text);
    const lines = text.split('\n');
    rest = lines.pop()!;
    yield lines.map(withoutReturn);
  }
  rest += decoder.decode();
  refuse(rest);
  if (rest !== '') yield [withoutReturn(rest)];
}

const RETURN = 13;

const withoutReturn = (line: string): string =>
  line.charCodeAt(line.length - 1) === RETURN ? line.slice(0, -1) : line;
