import { nearest } from '../problem.ts';

/** What stands in an expression; a list only as an argument. */
export type Value = number | readonly unknown[];

const FUNCTIONS: Readonly<
  Record<string, { arity: [least: number, most: number]; of: (...values: number[]) => number }>
> = {
  min: { arity: [1, Number.POSITIVE_INFINITY], of: (...values) => values.reduce((a, b) => Math.min(a, b)) },
  max: { arity: [1, Number.POSITIVE_INFINITY], of: (...values) => values.reduce((a, b) => Math.max(a, b)) },
  sum: { arity: [0, Number.POSITIVE_INFINITY], of: (...values) => values.reduce((a, b) => a + b, 0) },
  floor: { arity: [1, 1], of: Math.floor },
  ceil: { arity: [1, 1], of: Math.ceil },
  round: { arity: [1, 1], of: Math.round },
  sqrt: { arity: [1, 1], of: Math.sqrt },
  log: { arity: [1, 1], of: Math.log },
};

const FUNCTION_NAMES: readonly string[] = [...Object.keys(FUNCTIONS), 'len'];

/** The function's value, or why it has none; undefined for a name that means no function: "fold(3)" may be a text. */
export function applyFunction(name: string, values: readonly Value[]): number | { fault: string } | undefined {
  if (name === 'len') {
    const [list] = values;
    return values.length === 1 && typeof list === 'object' ? list.length : { fault: 'len takes one list' };
  }
  if (!Object.hasOwn(FUNCTIONS, name)) {
    const near = nearest(name, FUNCTION_NAMES);
    return near === undefined ? undefined : { fault: `there is no function ${name}; did you mean ${near}?` };
  }
  const { arity, of } = FUNCTIONS[name]!;
  const [least, most] = arity;
  if (most === 1 && values.some((value) => typeof value !== 'number')) return undefined;
  const numbers = values.flat() as number[];
  if (!numbers.every((value) => typeof value === 'number'))
    return { fault: `${name} takes numbers and lists of numbers` };
  if (numbers.length >= least && numbers.length <= most) return of(...numbers);
  const wanted = most === 1 ? 'one number' : 'at least one number';
  return { fault: `${name} takes ${wanted}, not ${numbers.length}` };
}
