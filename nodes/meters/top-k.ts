/** Hits among the k largest scores, counted over a phase and over the ranks. */
import type { NodeProblem, Report } from '../../graph/node-type.ts';
import type { PortValue } from '../../graph/port.ts';
import { type ComputeContext, type Fold, T } from '../../runtime/node.ts';
import type { Tensor, TensorApi } from '../../runtime/tensor/types.ts';
import { byOutput, checkNames, namesParam, outputList, percent } from './outputs.ts';
import { sumOverRanks } from './ranks.ts';
import { readTargets } from './targets.ts';

export const topkParams = {
  topk: T.Array(T.Integer({ minimum: 1 }), { default: [1], minItems: 1, description: 'numbers of best classes' }),
  names: namesParam,
};

interface TopkParams {
  readonly topk: readonly number[];
  readonly names?: readonly string[];
}

/** What one kind of meter counts. `whole` is what a count of hits at k is divided by. */
export interface TopkRule {
  readonly whole: (rows: number, targets: number, k: number) => number;
}

/** Counts of one output: hits per k, rows, and marks of targets (one per row where they are class indices). */
interface Counts {
  readonly hits: { value: number }[];
  readonly rows: { value: number };
  readonly targets: { value: number };
}

/** Static: a name per output, no k above the number of classes. */
export function checkTopk(
  { topk, names }: TopkParams,
  inputs: Readonly<Record<string, readonly PortValue[]>>,
  problem: Report,
): void {
  checkNames(names, inputs, problem);
  const most = Math.max(...topk);
  for (const value of inputs.outputs ?? []) {
    for (const shape of value.shapes ?? []) {
      const last = shape.at(-1) ?? [];
      if (!last.every((factor) => typeof factor === 'number')) continue;
      const classes = last.reduce((a, b) => a * b, 1);
      if (classes < most) problem(tooLarge(most, classes));
    }
  }
}

const tooLarge = (k: number, classes: number): NodeProblem => ({
  at: 'topk',
  message: `there are no ${k} best of ${classes} classes`,
  cure: `Keep topk at ${classes} or below`,
});

/** Top-k of each row: a tie goes to the class that comes first. */
export function createTopkMeter(context: ComputeContext<TopkParams>, rule: TopkRule): Fold {
  const { params, tf, ops, ranks, state, refs } = context;
  const { topk } = params;
  const count = refs.outputs?.length ?? 1;
  const counts: Counts[] = [];
  const counter = (output: number): Counts => ({
    hits: topk.map((k) => state.number(`hits_${output}_top${k}`, 0)),
    rows: state.number(`rows_${output}`, 0),
    targets: state.number(`targets_${output}`, 0),
  });
  for (let i = 0; i < count; i++) counts.push(counter(i));
  const numbers = () => counts.flatMap(({ hits, rows, targets }) => [...hits, rows, targets]);

  const add = async (output: Tensor, own: Counts, label: Tensor, valid: Int32Array | undefined): Promise<void> => {
    const scores = ops.noGrad(() => meanOfEnsemble(tf, output));
    const classes = scores.shape[1]!;
    const most = Math.max(...topk);
    if (most > classes) throw new Error(`${tooLarge(most, classes).message}. ${tooLarge(most, classes).cure}`);
    const targets = await readTargets(label, scores.shape[0]!, classes);
    const best = (await ops.noGrad(() => tf.topk(scores, most, true).indices).data()) as Int32Array;
    for (let row = 0; row < targets.rows; row++) {
      if (valid?.[row] === 0 || targets.unknown(row)) continue;
      own.rows.value++;
      own.targets.value += targets.sum(row);
      let hits = 0;
      for (let i = 0; i < most; i++) {
        hits += targets.at(row, best[row * most + i]);
        topk.forEach((k, at) => {
          if (k === i + 1) own.hits[at].value += hits;
        });
      }
    }
  };

  return {
    reset() {
      for (const one of numbers()) one.value = 0;
    },
    async add(inputs) {
      const outputs = outputList(inputs.outputs);
      if (outputs.length !== count) throw new Error(`there are ${outputs.length} outputs instead of ${count}`);
      const valid = inputs.valid && ((await inputs.valid.data()) as Int32Array);
      for (const [i, output] of outputs.entries()) await add(output, counts[i], inputs.label, valid);
    },
    async finish() {
      const sums = await sumOverRanks(
        tf,
        ranks,
        numbers().map(({ value }) => value),
      );
      const each = counts.map((_, i) => {
        const own = sums.slice(i * (topk.length + 2), (i + 1) * (topk.length + 2));
        const [rows, targets] = own.slice(topk.length);
        return topk.map((k, at) => percent(own[at], rule.whole(rows, targets, k)));
      });
      const metrics = Object.fromEntries(
        topk.map((k, at) => [
          `top_${k}`,
          byOutput(
            each.map((values) => values[at]),
            params.names,
            refs.outputs,
          ),
        ]),
      );
      return { metrics };
    },
  };
}

/** Outputs [models, N, C] of an ensemble: the mean of their class probabilities. */
function meanOfEnsemble(tf: TensorApi, output: Tensor): Tensor {
  const { shape } = output;
  if (shape.length === 2) return output;
  if (shape.length === 3) return tf.mean(tf.softmax(output, 2), 0);
  throw new Error(`outputs are [N, C], or [models, N, C] of an ensemble, not [${shape}]`);
}
