import { applyFunction, type Value } from './expression-functions.ts';

/** A piece of an expression: text as written, or the value of a `${…}`. */
export type Piece = string | { readonly value: Value };

/** How deep parentheses, signs and powers may nest. */
const MAX_NESTING = 100;

/** Thrown by an expression that is well formed and has no value: a division by zero, a result that is no number. */
export class ExpressionError extends Error {}

/**
 * The number that the pieces say, or undefined when they are no expression.
 *
 * Grammar, loosest first: `+ -`; `* / %`; `-x`; `**` (right to left, binds tighter than a sign on its left, so -2**2
 * is -4); numbers, `${…}`, parentheses, functions. `%` keeps the sign of its left side. `log` is natural; `round` takes
 * halves up. A list stands only as an argument of min, max, sum (its items count as arguments) and len.
 * @throws ExpressionError for a zero divisor, a non-finite result, a wrong number of arguments, a misspelt function
 */
export function evaluate(pieces: readonly Piece[]): number | undefined {
  const tokens = tokenize(pieces);
  if (!tokens) return undefined;
  try {
    const parser = new Parser(tokens);
    const result = parser.sum();
    if (!parser.atEnd || typeof result !== 'number') return undefined;
    if (parser.fault) throw new ExpressionError(parser.fault);
    if (!Number.isFinite(result)) throw new ExpressionError(`the result is ${result}, not a finite number`);
    return result === 0 ? 0 : result;
  } catch (error) {
    if (error === NO_EXPRESSION) return undefined;
    throw error;
  }
}

type Token = { readonly symbol: string } | { readonly name: string } | { readonly value: Value };

function tokenize(pieces: readonly Piece[]): Token[] | undefined {
  const tokens: Token[] = [];
  for (const piece of pieces) {
    if (typeof piece !== 'string') {
      tokens.push(piece);
      continue;
    }
    const pattern = /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([a-z_]\w*)|(\*\*|[-+*/%(),])|$)/giy;
    while (pattern.lastIndex < piece.length) {
      const match = pattern.exec(piece);
      if (!match) return undefined;
      const [, number, name, symbol] = match;
      if (number !== undefined) tokens.push({ value: Number(number) });
      else if (name !== undefined) tokens.push({ name });
      else if (symbol !== undefined) tokens.push({ symbol });
    }
  }
  return tokens;
}

/** The way out of a text that is no expression. */
const NO_EXPRESSION = new Error('not an expression');

/** Reads and computes in one pass; the first fault of a computation is kept until the whole text is known to parse. */
class Parser {
  fault: string | undefined;
  readonly #tokens: readonly Token[];
  #position = 0;
  #nesting = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get atEnd(): boolean {
    return this.#position === this.#tokens.length;
  }

  sum(): Value {
    let result = this.#product();
    for (let symbol = this.#takeOne('+', '-'); symbol; symbol = this.#takeOne('+', '-')) {
      const right = number(this.#product());
      result = symbol === '+' ? number(result) + right : number(result) - right;
    }
    return result;
  }

  #product(): Value {
    let result = this.#signed();
    for (let symbol = this.#takeOne('*', '/', '%'); symbol; symbol = this.#takeOne('*', '/', '%')) {
      const right = number(this.#signed());
      if (symbol !== '*' && right === 0) this.fault ??= 'division by zero';
      if (symbol === '*') result = number(result) * right;
      else result = symbol === '/' ? number(result) / right : number(result) % right;
    }
    return result;
  }

  #signed(): Value {
    if (!this.#takeOne('-')) return this.#power();
    return this.#nested(() => -number(this.#signed()));
  }

  #power(): Value {
    const base = this.#atom();
    if (!this.#takeOne('**')) return base;
    return this.#nested(() => number(base) ** number(this.#signed()));
  }

  #atom(): Value {
    const token = this.#tokens[this.#position++];
    if (!token) throw NO_EXPRESSION;
    if ('value' in token) return token.value;
    if ('name' in token) return this.#call(token.name);
    if (token.symbol !== '(') throw NO_EXPRESSION;
    const result = this.#nested(() => this.sum());
    this.#expect(')');
    return number(result);
  }

  #call(name: string): number {
    this.#expect('(');
    const values: Value[] = [];
    if (!this.#takeOne(')')) {
      do values.push(this.#nested(() => this.sum()));
      while (this.#takeOne(','));
      this.#expect(')');
    }
    const outcome = applyFunction(name, values);
    if (outcome === undefined) throw NO_EXPRESSION;
    if (typeof outcome === 'number') return outcome;
    this.fault ??= outcome.fault;
    return Number.NaN;
  }

  #nested<T>(read: () => T): T {
    if (++this.#nesting > MAX_NESTING) throw NO_EXPRESSION;
    const result = read();
    this.#nesting--;
    return result;
  }

  #takeOne(...symbols: readonly string[]): string | undefined {
    const token = this.#tokens[this.#position];
    if (!token || !('symbol' in token) || !symbols.includes(token.symbol)) return undefined;
    this.#position++;
    return token.symbol;
  }

  #expect(symbol: string): void {
    if (!this.#takeOne(symbol)) throw NO_EXPRESSION;
  }
}

/** A list is no operand. */
function number(value: Value): number {
  if (typeof value !== 'number') throw NO_EXPRESSION;
  return value;
}
