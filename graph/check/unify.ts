/** Symbolic shapes of a node's ports against the shapes that come in. */
import { formatDim, formatShape, size } from '../dim.ts';
import type { Dim, DimPattern, PortType, PortValue, Shape } from '../port.ts';

/** A value at a port, with where it comes from for messages. */
export interface Arrival {
  readonly port: string;
  readonly type: PortType;
  readonly value: PortValue;
  /** "trunk.res5avg" */
  readonly from: string;
}

export interface Conflict {
  readonly port: string;
  readonly message: string;
}

/** A bound symbol: its dimension, and the arrival that says so. */
interface Binding {
  readonly dim: Dim;
  readonly by: Arrival;
  readonly shape: Shape;
}

export interface Unified {
  /** dimension by symbol */
  readonly symbols: ReadonlyMap<string, Dim>;
  /** for inputs that are lists: symbols that differ by element */
  readonly elements: readonly ReadonlyMap<string, Dim>[];
  readonly conflicts: readonly Conflict[];
}

const NOTHING: Unified = { symbols: new Map(), elements: [], conflicts: [] };

/** Bind the symbols of all arrivals; single values first, since elements of lists may differ in what they alone bind. */
export function unify(arrivals: readonly Arrival[]): Unified {
  const bindings = new Map<string, Binding>();
  const conflicts: Conflict[] = [];
  const elements: Map<string, Dim>[] = [];
  const shaped = arrivals.filter(({ type, value }) => type.shape && value.shapes);
  if (shaped.length === 0) return NOTHING;
  // products whose factors are told apart bind before those where a symbol has to be divided out
  const exact = (arrival: Arrival) =>
    arrival.value.shapes!.every((shape) => toldApart(arrival.type.shape!, shape)) ? 0 : 1;
  const rank = (arrival: Arrival) => exact(arrival) + (arrival.type.list ? 2 : 0);
  for (const arrival of shaped.length > 1 ? shaped.sort((a, b) => rank(a) - rank(b)) : shaped) {
    const { port, type, value, from } = arrival;
    if (!type.list && value.shapes!.length > 1) {
      const shapes = value.shapes!.map(formatShape).join(', ');
      conflicts.push({
        port,
        message: `${from} gives ${value.shapes!.length} values of different sizes (${shapes}), and this input takes one`,
      });
      continue;
    }
    const alone = new Map<string, Dim>();
    for (const [i, shape] of value.shapes!.entries()) {
      const local = type.list ? new Map(bindings) : bindings;
      const conflict = unifyShape(type.shape!, shape, arrival, local);
      if (conflict) conflicts.push({ port, message: conflict });
      if (!type.list) continue;
      elements[i] ??= new Map();
      for (const [symbol, { dim }] of local) {
        if (bindings.has(symbol)) continue;
        elements[i].set(symbol, dim);
        alone.set(symbol, dim);
      }
    }
    // what all elements agree on holds for the node
    for (const [symbol, dim] of alone) {
      if (!elements.every((element) => same(element.get(symbol), dim))) continue;
      bindings.set(symbol, { dim, by: arrival, shape: value.shapes![0]! });
    }
  }
  const symbols = new Map<string, Dim>();
  for (const [symbol, { dim }] of bindings) symbols.set(symbol, dim);
  return { symbols, elements, conflicts };
}

/** The shape that a pattern stands for; symbols that are not bound stay texts. */
export function substitute(pattern: readonly DimPattern[], symbols: ReadonlyMap<string, Dim>, node: string): Shape {
  return pattern.map((dim): Dim => {
    if (typeof dim === 'number') return [dim];
    return factorsOf(dim).flatMap((factor) => {
      if (typeof factor === 'number') return [factor];
      return symbols.get(factor) ?? [`${node}.${factor}`];
    });
  });
}

/** "V*N×D" */
export function formatPattern(pattern: readonly DimPattern[]): string {
  return pattern.length > 0 ? pattern.join('×') : 'scalar';
}

type Factors = readonly (string | number)[];

/** patterns are few: those of the node types, each met once per node */
const factorsByPattern = new Map<DimPattern, Factors>();

function factorsOf(pattern: DimPattern): Factors {
  const before = factorsByPattern.get(pattern);
  if (before) return before;
  const factors =
    typeof pattern === 'number'
      ? [pattern]
      : pattern.split('*').map((factor) => (/^\d+$/.test(factor) ? Number(factor) : factor));
  factorsByPattern.set(pattern, factors);
  return factors;
}

function toldApart(pattern: readonly DimPattern[], shape: Shape): boolean {
  return shape.length !== pattern.length || shape.every((dim, i) => factorsOf(pattern[i]!).length <= dim.length);
}

function unifyShape(
  pattern: readonly DimPattern[],
  shape: Shape,
  arrival: Arrival,
  bindings: Map<string, Binding>,
): string | undefined {
  const both = () => `${arrival.from} gives ${formatShape(shape)}, and ${formatPattern(pattern)} is wanted`;
  if (shape.length !== pattern.length) return `${both()}: ${shape.length} dimensions are not ${pattern.length}`;
  for (const [i, dim] of shape.entries()) {
    const reason = unifyDim(pattern[i]!, dim, shape, arrival, bindings);
    if (reason) return `${both()}: ${reason}`;
  }
  return undefined;
}

function unifyDim(
  pattern: DimPattern,
  dim: Dim,
  shape: Shape,
  arrival: Arrival,
  bindings: Map<string, Binding>,
): string | undefined {
  const factors = factorsOf(pattern);
  const total = size(dim);
  const free = factors.filter((factor) => typeof factor === 'string' && !bindings.has(factor)) as string[];
  const known = factors.filter((factor) => !free.includes(factor as string)).map((factor) => dimOf(factor, bindings));
  const product = known.reduce<number | undefined>((all, each) => {
    const n = size(each);
    return all === undefined || n === undefined ? undefined : all * n;
  }, 1);
  if (free.length === 0) {
    if (total === undefined || product === undefined || total === product) return undefined;
    // name the one factor where they can be told apart
    if (factors.length === 1 || factors.length !== dim.length) {
      return `${because(factors, pattern, product, bindings)}, not ${formatDim(dim)}`;
    }
  }
  const bind = (symbol: string, to: Dim) => bindings.set(symbol, { dim: to, by: arrival, shape });
  if (free.length === 1 && factors.length !== dim.length) {
    // one unknown: the size divided by the rest
    if (factors.length === 1) bind(free[0]!, dim);
    else if (total !== undefined && product !== undefined) {
      if (product === 0 || total % product !== 0)
        return `${formatDim(dim)} is no multiple of ${because(factors, pattern, product, bindings)}`;
      bind(free[0]!, [total / product]);
    }
    return undefined;
  }
  // factor by factor from the right: leading symbols without a factor are 1, the first takes all factors left over
  for (let i = factors.length - 1, j = dim.length - 1; i >= 0; i--, j--) {
    const factor = factors[i]!;
    const part: Dim = i === 0 ? (j < 0 ? [1] : dim.slice(0, j + 1)) : j < 0 ? [1] : [dim[j]!];
    if (typeof factor === 'string' && !bindings.has(factor)) bind(factor, part);
    else {
      const [given, wanted] = [size(part), size(dimOf(factor, bindings))];
      if (given !== undefined && wanted !== undefined && given !== wanted) {
        return `${because([factor], factor, wanted, bindings)}, not ${given}`;
      }
    }
  }
  return undefined;
}

function dimOf(factor: string | number, bindings: ReadonlyMap<string, Binding>): Dim {
  return typeof factor === 'number' ? [factor] : bindings.get(factor)!.dim;
}

/** "N is 64 (embeddings has 8·64×128)" */
function because(
  factors: readonly (string | number)[],
  pattern: DimPattern,
  product: number,
  bindings: ReadonlyMap<string, Binding>,
): string {
  const said = factors.flatMap((factor) => {
    const binding = typeof factor === 'string' ? bindings.get(factor) : undefined;
    return binding ? [`${binding.by.port} is ${formatShape(binding.shape)} from ${binding.by.from}`] : [];
  });
  if (said.length === 0) return String(pattern);
  return `${pattern} is ${product} (${[...new Set(said)].join(', ')})`;
}

function same(a: Dim | undefined, b: Dim): boolean {
  return a !== undefined && a.length === b.length && a.every((factor, i) => factor === b[i]);
}
