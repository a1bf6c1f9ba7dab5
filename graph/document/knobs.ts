import { didYouMean } from '../problem.ts';
import { ExpressionError, evaluate, type Piece } from './expression.ts';
import {
  type Dict,
  dict,
  list,
  MAX_DEPTH,
  type Origin,
  type Scalar,
  scalar,
  type Tree,
  toPlain,
  withEntry,
} from './located.ts';
import type { Mistakes } from './mistakes.ts';
import { follow, formatPath } from './path.ts';
import { kindOf } from './structure.ts';
import { parseTemplate, type Reference } from './template.ts';

/** A document without knobs, their values, and those that nothing uses. */
export interface WithoutKnobs {
  readonly tree: Dict;
  readonly knobs: Dict;
  readonly unused: readonly { readonly name: string; readonly at: Tree }[];
}

/**
 * Puts the values of the knobs in. A text that is one `${name}` becomes the knob's value as it is. A text in which
 * every `${…}` is a number (or a list given to a function) and which as a whole is an expression becomes that number:
 * "0.3 * ${batch_size} / 256". Any other text takes the values in as text: "${data}/train".
 * Knobs may use knobs. The origin of what is made names the knobs.
 */
export function putKnobs(document: Dict, mistakes: Mistakes): WithoutKnobs {
  const section = document.entries.get('knobs');
  const declared: ReadonlyMap<string, Tree> = section?.kind === 'dict' ? section.entries : new Map();
  const bench = new Bench(declared, mistakes);
  const entries = new Map<string, Tree>();
  for (const [key, value] of document.entries) if (key !== 'knobs') entries.set(key, bench.fill(value, [key]));
  const values = new Map<string, Tree>();
  for (const name of declared.keys()) {
    const value = bench.valueOf(name);
    if (value) values.set(name, value);
  }
  const unused = [...declared].filter(([name]) => !bench.used.has(name));
  const knobs = dict(values, section?.origin ?? document.origin, section?.key);
  const tree = section ? withEntry(dict(entries, document.origin), 'knobs', knobs) : dict(entries, document.origin);
  return { tree, knobs, unused: unused.map(([name, at]) => ({ name, at })) };
}

class Bench {
  /** Names of knobs that some text refers to. */
  readonly used = new Set<string>();
  readonly #declared: ReadonlyMap<string, Tree>;
  readonly #mistakes: Mistakes;
  readonly #values = new Map<string, Tree | undefined>();
  /** The knobs being worked out, each for the sake of the one before. */
  readonly #open: string[] = [];

  constructor(declared: ReadonlyMap<string, Tree>, mistakes: Mistakes) {
    this.#declared = declared;
    this.#mistakes = mistakes;
  }

  /**
   * The tree with every text filled in; the same object where nothing changed.
   * @param path to the tree: lengthened and shortened on the way, read only where a text takes a knob
   */
  fill(tree: Tree, path: string[]): Tree {
    if (tree.kind === 'scalar') {
      const takes = typeof tree.value === 'string' && tree.value.includes('${');
      return (takes ? this.#fillText(tree, path) : tree) ?? tree;
    }
    const fillAt = (key: string, item: Tree): Tree => {
      path.push(key);
      const filled = this.fill(item, path);
      path.pop();
      return filled;
    };
    if (tree.kind === 'list') {
      const items = tree.items.map((item, index) => fillAt(String(index), item));
      return items.some((item, index) => item !== tree.items[index]) ? list(items, tree.origin, tree.key) : tree;
    }
    let entries: Map<string, Tree> | undefined;
    for (const [key, item] of tree.entries) {
      const filled = fillAt(key, item);
      if (filled === item) continue;
      entries ??= new Map(tree.entries);
      entries.set(key, filled);
    }
    return entries ? dict(entries, tree.origin, tree.key) : tree;
  }

  /** The knob's own value, filled in; undefined when it has a mistake (already reported). */
  valueOf(name: string): Tree | undefined {
    if (this.#values.has(name)) return this.#values.get(name);
    const declared = this.#declared.get(name)!;
    const fault = this.#faultOfOpening(name);
    if (fault) {
      this.#mistakes.add(declared, `knobs.${name}`, fault);
      return undefined;
    }
    this.#open.push(name);
    const before = this.#mistakes.found.length;
    const filled = this.fill(declared, ['knobs', name]);
    this.#open.pop();
    const value = this.#mistakes.found.length === before ? filled : undefined;
    this.#values.set(name, value);
    return value;
  }

  #faultOfOpening(name: string): string | undefined {
    const start = this.#open.indexOf(name);
    if (start >= 0) return `the knobs need each other: ${[...this.#open.slice(start), name].join(' → ')}`;
    return this.#open.length >= MAX_DEPTH ? `knobs that need knobs nest more than ${MAX_DEPTH} deep` : undefined;
  }

  #fillText(source: Scalar, path: readonly string[]): Tree | undefined {
    const fail = (message: string, cure?: string) => {
      this.#mistakes.add(source, formatPath(path), message, cure);
      return undefined;
    };
    let pieces: (string | Reference)[];
    try {
      pieces = parseTemplate(source.value as string);
    } catch (error) {
      return fail((error as SyntaxError).message);
    }
    const values = pieces.map((piece) => (typeof piece === 'string' ? piece : this.#lookUp(piece, fail)));
    if (values.some((value) => value === undefined)) return undefined;
    const known = values as (string | Tree)[];
    const origin = this.#originOf(source, pieces);
    const [only] = known;
    if (known.length === 1 && typeof only === 'object') return { ...only, origin, key: source.key };
    try {
      const value = this.#compute(known) ?? interpolate(known, pieces);
      return scalar(value, origin, source.key);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      return fail(`"${source.value}" has no value: ${error.message}`);
    }
  }

  #lookUp({ knob, steps, text }: Reference, fail: (message: string, cure?: string) => undefined): Tree | undefined {
    if (!this.#declared.has(knob)) {
      const names = [...this.#declared.keys()];
      return fail(`there is no knob ${knob}`, didYouMean(knob, names) || `Add "${knob}" to "knobs"`);
    }
    this.used.add(knob);
    const value = this.valueOf(knob);
    if (!value) return undefined;
    const { found, deepest, depth } = follow(value, steps);
    if (found) return found;
    const size = deepest.kind === 'list' ? `a list of ${deepest.items.length}` : kindOf(deepest);
    return fail(
      `${text} leads nowhere: ${[knob, ...steps.slice(0, depth)].join('.')} is ${size} without ${steps[depth]}`,
    );
  }

  /** The number, when the text is an expression. */
  #compute(values: readonly (string | Tree)[]): number | undefined {
    const pieces: Piece[] = [];
    for (const value of values) {
      if (typeof value === 'string') pieces.push(value);
      else if (value.kind === 'list') pieces.push({ value: value.items.map(toPlain) });
      else if (value.kind === 'scalar' && typeof value.value === 'number') pieces.push({ value: value.value });
      else return undefined;
    }
    return evaluate(pieces);
  }

  #originOf(source: Scalar, pieces: readonly (string | Reference)[]): Origin {
    const names = new Set(pieces.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.knob])));
    const knobs = [...names].map((name) => ({ name, origin: this.valueOf(name)!.origin }));
    return { ...source.origin, knobs };
  }
}

function interpolate(values: readonly (string | Tree)[], pieces: readonly (string | Reference)[]): string {
  return values
    .map((value, index) => {
      if (typeof value === 'string') return value;
      if (value.kind === 'scalar' && value.value !== null) return String(value.value);
      const { text } = pieces[index] as Reference;
      throw new ExpressionError(`${text} is ${kindOf(value)}, which cannot stand inside a text`);
    })
    .join('');
}
