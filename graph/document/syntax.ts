import type { Place } from './located.ts';

const WORDS: Readonly<Record<string, string>> = {
  None: 'null',
  nil: 'null',
  undefined: 'null',
  True: 'true',
  False: 'false',
};

/**
 * Plain words for a syntax error of the JSON reader.
 * @param code the reader's name of the error
 * @param token the text it stopped at, '' at the end of the file
 * @param open where the innermost unfinished list or object begins
 */
export function explainSyntax(
  code: string,
  token: string,
  open: Place | undefined,
): { message: string; cure?: string } {
  const found = token === '' ? 'the end of the file' : shorten(token);
  switch (code) {
    case 'CommaExpected':
      if (token === '}' || token === ']') return { message: `${openedAt(open)} is closed by ${token}` };
      return { message: `a comma is missing before ${found}` };
    case 'ColonExpected':
      return { message: `a key is followed by ${found}, not by a colon`, cure: 'Write "key": value' };
    case 'PropertyNameExpected':
      return { message: `a key is expected, not ${found}`, cure: 'Keys stand in double quotes' };
    case 'ValueExpected':
      if (token === '' && !open)
        return { message: 'the file is empty', cure: 'A pipeline is an object: { "nodes": { } }' };
      return { message: `a value is expected, not ${found}` };
    case 'CloseBraceExpected':
      return { message: `${openedAt(open)} is not closed`, cure: 'Add a }' };
    case 'CloseBracketExpected':
      return { message: `${openedAt(open)} is not closed`, cure: 'Add a ]' };
    case 'EndOfFileExpected':
      return { message: `the document has ended, but ${found} follows` };
    case 'UnexpectedEndOfString':
      return { message: 'the text that begins here has no closing quote in its line', cure: 'Add a "' };
    case 'UnexpectedEndOfComment':
      return { message: 'the comment that begins here has no end', cure: 'Add a */' };
    case 'UnexpectedEndOfNumber':
      return { message: `${found} is not a whole number or decimal: digits are missing` };
    case 'InvalidNumberFormat':
      return { message: `${found} is not a number` };
    case 'InvalidUnicode':
      return { message: 'the text holds a \\u that four hexadecimal digits do not follow' };
    case 'InvalidEscapeCharacter':
      return { message: 'the text holds a \\ that begins no escape', cure: 'Write \\\\ for a backslash' };
    case 'InvalidCharacter':
      return { message: 'the text holds a control character, such as a tab', cure: 'Write it as an escape: \\t' };
    default:
      return explainSymbol(token);
  }
}

function explainSymbol(token: string): { message: string; cure?: string } {
  if (token.startsWith("'")) return { message: `${shorten(token)} stands in single quotes`, cure: 'Use double quotes' };
  if (/^[-+]?(NaN|Inf)/i.test(token)) return { message: `${token} is not a JSON number` };
  if (/^[+.]\d/.test(token)) return { message: `${shorten(token)} is not a JSON number`, cure: 'Begin with a digit' };
  const word = WORDS[token];
  if (word) return { message: `${token} is not JSON`, cure: `Write ${word}` };
  return { message: `${shorten(token)} is not JSON`, cure: 'Text and keys stand in double quotes' };
}

function openedAt(open: Place | undefined): string {
  return open ? `what opens in line ${open.line}, column ${open.column}` : 'the document';
}

function shorten(token: string): string {
  return token.length > 40 ? `${token.slice(0, 40)}…` : token;
}
