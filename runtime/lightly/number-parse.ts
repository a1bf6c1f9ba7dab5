/** Numbers as Python's int() and float() read them: blanks around, a sign, and underscores between digits are fine. */

const WHOLE = /^[+-]?\d+(_\d+)*$/;
const DECIMAL = /^[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)(e[+-]?\d+(_\d+)*)?$/i;
const PLAIN = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/;
const SPECIAL = /^([+-]?)(inf(inity)?|nan)$/i;

/** A whole number; undefined when the text is none, or is one that a double cannot hold. */
export function parseWhole(text: string): number | undefined {
  const trimmed = text.trim();
  if (!WHOLE.test(trimmed)) return undefined;
  const value = Number(trimmed.replaceAll('_', ''));
  return Number.isSafeInteger(value) ? value + 0 : undefined; // -0 is 0
}

/** A number; undefined when the text is none. */
export function parseFloating(text: string): number | undefined {
  if (PLAIN.test(text)) return Number(text); // the usual case, which both languages read alike
  const trimmed = text.trim();
  const special = SPECIAL.exec(trimmed);
  if (special) {
    if (special[2].toLowerCase() === 'nan') return Number.NaN;
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  return DECIMAL.test(trimmed) ? Number(trimmed.replaceAll('_', '')) : undefined;
}
