/** Scores and targets of a whole phase, in host memory: 5 bytes per image and class, and average precisions of them. */
import { precisionRecall } from '../../runtime/metrics/average-precision.ts';
import type { Ranks, StateStore } from '../../runtime/node.ts';
import type { TensorApi } from '../../runtime/tensor/types.ts';

/** Values that ranks exchange at once. */
const BLOCK = 1 << 22;

export interface ScoreRows {
  reset(): void;
  /** rows · classes values each; targets are 1, 0 or -1 */
  add(scores: Float32Array, targets: Int8Array): void;
  /** AP per class over all ranks; -1 for classes without a positive */
  averagePrecisions(tf: TensorApi, ranks: Ranks, classes: number): Promise<Float64Array>;
}

export function createScoreRows(state: StateStore, name: string): ScoreRows {
  let scores: Float32Array[] = [];
  let targets: Int8Array[] = [];
  state.array(`scores${name}`, {
    save: () => joined(scores, Float32Array),
    load: (values) => {
      scores = [values as Float32Array];
    },
  });
  state.array(`targets${name}`, {
    save: () => Int32Array.from(joined(targets, Int8Array)),
    load: (values) => {
      targets = [Int8Array.from(values)];
    },
  });
  return {
    reset() {
      scores = [];
      targets = [];
    },
    add(newScores, newTargets) {
      scores.push(newScores);
      targets.push(newTargets);
    },
    async averagePrecisions(tf, ranks, classes) {
      scores = [joined(scores, Float32Array)];
      targets = [joined(targets, Int8Array)];
      const rows = scores[0].length / classes;
      const most = await largest(tf, ranks, rows);
      const result = new Float64Array(classes).fill(-1);
      const together = Math.max(1, Math.min(classes, Math.floor(BLOCK / Math.max(1, most))));
      for (let first = 0; first < classes; first += together) {
        const count = Math.min(together, classes - first);
        const columns = await allColumns(tf, ranks, { rows, most, classes, first, count }, scores[0], targets[0]);
        columns.forEach((column, i) => {
          if (!column.targets.some((target) => target > 0)) return;
          const known = column.targets.map((target) => (target < 0 ? 0 : 1));
          result[first + i] = precisionRecall(column.targets, column.scores, known).ap;
        });
      }
      return result;
    },
  };
}

function joined<A extends Float32Array | Int8Array>(parts: readonly A[], Type: new (length: number) => A): A {
  if (parts.length === 1) return parts[0];
  const result = new Type(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

async function largest(tf: TensorApi, ranks: Ranks, rows: number): Promise<number> {
  const all = await ranks.allGather(tf.tensor1d([rows], 'int32'));
  return Math.max(...(await all.data()));
}

interface Column {
  readonly scores: Float32Array;
  readonly targets: Float32Array;
}

interface Block {
  readonly rows: number;
  /** rows of the rank that has most: shorter ones are filled up */
  readonly most: number;
  readonly classes: number;
  readonly first: number;
  readonly count: number;
}

/** Columns of a block of classes, rows of all ranks in rank order. */
async function allColumns(
  tf: TensorApi,
  ranks: Ranks,
  { rows, most, classes, first, count }: Block,
  scores: Float32Array,
  targets: Int8Array,
): Promise<Column[]> {
  // per class: scores, then targets; -2 stands for no row
  const own = new Float32Array(count * 2 * most).fill(-2);
  for (let c = 0; c < count; c++) {
    for (let row = 0; row < rows; row++) {
      own[2 * c * most + row] = scores[row * classes + first + c];
      own[(2 * c + 1) * most + row] = targets[row * classes + first + c];
    }
  }
  let all: Float32Array = own;
  if (ranks.size > 1) all = (await (await ranks.allGather(tf.tensor1d(own))).data()) as Float32Array;
  return Array.from({ length: count }, (_, c) => {
    const column = { scores: new Float32Array(ranks.size * most), targets: new Float32Array(ranks.size * most) };
    let length = 0;
    for (let rank = 0; rank < ranks.size; rank++) {
      const start = (rank * count + c) * 2 * most;
      for (let row = 0; row < most; row++) {
        if (all[start + most + row] === -2) continue;
        column.scores[length] = all[start + row];
        column.targets[length++] = all[start + most + row];
      }
    }
    return { scores: column.scores.subarray(0, length), targets: column.targets.subarray(0, length) };
  });
}
