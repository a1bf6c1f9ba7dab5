/**
 * Linear support vector machines with squared hinge loss: the exact minimiser of
 * ½(‖w‖² + b²) + Σᵢ cᵢ·max(0, 1 − yᵢ(w·xᵢ + b))², which LinearSVC approaches. Newton's method on the rows that lie within
 * the margin (Chapelle 2007, "Training a support vector machine in the primal"), its systems solved by conjugate
 * gradients: over the weights, or over the rows where there are fewer of those.
 */

export interface Rows {
  readonly width: number;
  /** row after row */
  readonly values: Float32Array | Float64Array;
  /** dot products of all rows, row after row; needed where rows are wider than many */
  readonly gram?: Float32Array;
}

export interface LinearSvm {
  readonly coef: Float64Array;
  readonly intercept: number;
}

export interface SvmProblem {
  readonly data: Rows;
  /** rows of the data to fit */
  readonly rows: Int32Array;
  /** 1 or -1 per fitted row */
  readonly labels: Int8Array;
  /** c per fitted row */
  readonly costs: Float64Array;
  readonly signal?: AbortSignal;
}

const MAX_STEPS = 100;

/** Unique, so that nothing depends on a start. @throws the signal's reason when it is aborted */
export function fitLinearSvm(problem: SvmProblem): LinearSvm {
  const { data, rows, labels, costs, signal } = problem;
  const space = data.gram && data.width + 1 > rows.length ? overRows(problem, data.gram) : overWeights(problem);
  let solution = new Float64Array(space.size);
  let scores = new Float64Array(rows.length);
  const active = new Uint8Array(rows.length);
  const hinge = (f: Float64Array): number => {
    let sum = 0;
    for (let i = 0; i < f.length; i++) sum += costs[i] * Math.max(0, 1 - labels[i] * f[i]) ** 2;
    return sum;
  };
  let value = hinge(scores);
  for (let step = 0; step < MAX_STEPS; step++) {
    signal?.throwIfAborted();
    const changed = markActive(active, scores, labels);
    if (!changed && step > 0) break;
    const target = space.solve(active, solution);
    const targetScores = space.scores(target);
    let share = 1;
    for (; share > 1e-10; share /= 2) {
      const next = between(solution, target, share);
      const nextScores = between(scores, targetScores, share);
      const nextValue = space.norm(next, nextScores) / 2 + hinge(nextScores);
      if (!(nextValue < value)) continue;
      const gain = value - nextValue;
      [solution, scores, value] = [next, nextScores, nextValue];
      if (gain < 1e-15 * value) return space.model(solution);
      break;
    }
    if (share <= 1e-10) break;
  }
  return space.model(solution);
}

interface Space {
  readonly size: number;
  /** the minimiser if exactly the active rows were within the margin */
  solve(active: Uint8Array, start: Float64Array): Float64Array<ArrayBuffer>;
  /** scores of the fitted rows */
  scores(solution: Float64Array): Float64Array<ArrayBuffer>;
  /** ‖w‖² + b² */
  norm(solution: Float64Array, scores: Float64Array): number;
  model(solution: Float64Array): LinearSvm;
}

/** Variables: w, then b. */
function overWeights({ data: { width, values }, rows, labels, costs }: SvmProblem): Space {
  const scoresOf = (v: Float64Array): Float64Array<ArrayBuffer> =>
    Float64Array.from(rows, (row) => dot(values, row, width, v) + v[width]);
  const addRow = (sum: Float64Array, row: number, factor: number): void => {
    for (let j = 0, at = row * width; j < width; j++, at++) sum[j] += factor * values[at];
    sum[width] += factor;
  };
  return {
    size: width + 1,
    solve(active, start) {
      const right = new Float64Array(width + 1);
      for (let i = 0; i < rows.length; i++) if (active[i]) addRow(right, rows[i], 2 * costs[i] * labels[i]);
      const apply = (p: Float64Array): Float64Array => {
        const result = p.slice();
        for (let i = 0; i < rows.length; i++) {
          if (active[i]) addRow(result, rows[i], 2 * costs[i] * (dot(values, rows[i], width, p) + p[width]));
        }
        return result;
      };
      return conjugateGradients(apply, right, start);
    },
    scores: scoresOf,
    norm: (v) => v.reduce((sum, x) => sum + x * x, 0),
    model: (v) => ({ coef: v.slice(0, width), intercept: v[width] }),
  };
}

/** Variables: a factor per fitted row; w is the sum of the rows times their factors. */
function overRows({ data: { width, values }, rows, labels, costs }: SvmProblem, gram: Float32Array): Space {
  const count = rows.length;
  const all = Math.round(Math.sqrt(gram.length));
  // the intercept is a feature that is 1 for all
  const product = (i: number, p: Float64Array, use: Int32Array): number => {
    let sum = 0;
    const start = rows[i] * all;
    for (const k of use) sum += (gram[start + rows[k]] + 1) * p[k];
    return sum;
  };
  const nonZero = (p: Float64Array): Int32Array => Int32Array.from(p.keys()).filter((i) => p[i] !== 0);
  return {
    size: count,
    solve(active, start) {
      const use = Int32Array.from(active.keys()).filter((i) => active[i] === 1);
      const right = new Float64Array(count);
      const begin = new Float64Array(count);
      for (const i of use) {
        right[i] = labels[i];
        begin[i] = start[i];
      }
      const apply = (p: Float64Array): Float64Array => {
        const result = new Float64Array(count);
        for (const i of use) result[i] = product(i, p, use) + p[i] / (2 * costs[i]);
        return result;
      };
      return conjugateGradients(apply, right, begin);
    },
    scores(p) {
      const use = nonZero(p);
      return Float64Array.from({ length: count }, (_, i) => product(i, p, use));
    },
    norm: (p, scores) => p.reduce((sum, x, i) => sum + x * scores[i], 0),
    model(p) {
      const coef = new Float64Array(width);
      for (const i of nonZero(p)) {
        for (let j = 0, at = rows[i] * width; j < width; j++, at++) coef[j] += p[i] * values[at];
      }
      return { coef, intercept: p.reduce((sum, x) => sum + x, 0) };
    },
  };
}

/** Solve A·x = right for a symmetric positive definite A, to 1e-12 of the right side. */
function conjugateGradients(
  apply: (x: Float64Array) => Float64Array,
  right: Float64Array,
  start: Float64Array,
): Float64Array<ArrayBuffer> {
  const x = Float64Array.from(start);
  const applied = apply(x);
  const residual = right.map((r, i) => r - applied[i]);
  let direction = residual.slice();
  let size = square(residual);
  const enough = 1e-24 * square(right);
  for (let step = 0; step < 2 * right.length + 50 && size > enough; step++) {
    const image = apply(direction);
    const along = size / inner(direction, image);
    for (let i = 0; i < x.length; i++) {
      x[i] += along * direction[i];
      residual[i] -= along * image[i];
    }
    const next = square(residual);
    direction = direction.map((d, i) => residual[i] + (next / size) * d);
    size = next;
  }
  return x;
}

function markActive(active: Uint8Array, scores: Float64Array, labels: Int8Array): boolean {
  let changed = false;
  for (let i = 0; i < active.length; i++) {
    const now = labels[i] * scores[i] < 1 ? 1 : 0;
    if (active[i] !== now) changed = true;
    active[i] = now;
  }
  return changed;
}

const between = (from: Float64Array, to: Float64Array, share: number): Float64Array<ArrayBuffer> =>
  Float64Array.from(from, (x, i) => x + share * (to[i] - x));

const inner = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

const square = (a: Float64Array): number => inner(a, a);

/** Of a row and the first values of `v`. */
function dot(values: Float32Array | Float64Array, row: number, width: number, v: Float64Array): number {
  let sum = 0;
  for (let j = 0, at = row * width; j < width; j++, at++) sum += values[at] * v[j];
  return sum;
}
