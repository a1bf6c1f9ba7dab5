import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ParameterView, RunView } from '../../runtime/events.ts';
import { defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { writeSafetensors } from '../../runtime/train/safetensors.ts';

const CURES =
  'Known cures: a lower learning rate or a warm-up; float32 instead of bfloat16; for SwAV a larger epsilon (0.05), or a queue that starts later';

/**
 * Ends the run when the loss is NaN or infinite. Names the first output, running statistic or parameter that is not
 * finite, and writes into nan/ of the run folder what came into the models and out of them, statistics and parameters, a
 * file per rank. Difference from the reference code: outputs are looked at when the loss is not finite, not in every step.
 */
export default defineNode({
  type: 'hook/nan_watch',
  description: 'Stops a run whose loss is not finite and says where the first bad value is.',
  aliases: ['CheckNanLossHook'],
  role: 'hook',
  params: T.Object({
    outputs: T.Array(T.String(), {
      default: [],
      description:
        'outputs to look at and to write out, in the order of the graph: ["trunk.res5avg", "head.scores"]; none: those that models read from the rest of the graph and give to it',
    }),
  }),
  show: ['outputs'],
  create: ({ params }) => ({
    async loss_and_meter({ loss, progress, lr }, run) {
      if (loss === undefined || Number.isFinite(loss)) return;
      const refs = params.outputs.length > 0 ? params.outputs : run.modelPorts;
      const outputs = refs.flatMap((ref) => listed(ref, run.output(ref)));
      const first =
        (await firstBad(outputs, (x) => x)) ??
        (await firstBad(run.buffers, tensorOf)) ??
        (await firstBad(run.parameters, tensorOf));
      const file = await dump(run, outputs, progress.iteration);
      const parts = [
        `the loss is ${loss} at iteration ${progress.iteration}${lr ? ` (lr ${lr.join(', ')})` : ''}`,
        first ? `the first value that is not finite is in ${first}` : 'all statistics and parameters are finite',
        `inputs, outputs and parameters are in ${file}`,
      ];
      throw new Error(`${parts.join('; ')}. ${CURES}`);
    },
  }),
});

const tensorOf = (parameter: ParameterView): Tensor => parameter.value();

function listed(ref: string, output: Tensor | readonly Tensor[] | undefined): [string, Tensor][] {
  if (output === undefined) return [];
  if (!Array.isArray(output)) return [[ref, output as Tensor]];
  return (output as readonly Tensor[]).map((tensor, i) => [`${ref}.${i}`, tensor]);
}

async function firstBad<T>(
  values: Iterable<readonly [string, T]>,
  tensor: (value: T) => Tensor,
): Promise<string | undefined> {
  for (const [name, value] of values) {
    const numbers = (await tensor(value).data()) as Float32Array;
    const bad = numbers.reduce((count, x) => count + (Number.isFinite(x) ? 0 : 1), 0);
    if (bad > 0) return `${name} (${bad} of ${numbers.length})`;
  }
  return undefined;
}

async function dump(run: RunView, outputs: readonly [string, Tensor][], iteration: number): Promise<string> {
  const folder = join(run.out, 'nan');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `step${iteration}${run.ranks > 1 ? `-rank${run.rank}` : ''}.safetensors`);
  const model = [...run.parameters.values(), ...run.buffers.values()].map((view) => [view.name, view.value()] as const);
  await writeSafetensors(
    file,
    [...outputs, ...model].map(([name, tensor]) => ({
      name,
      dtype: 'F32' as const,
      shape: tensor.shape,
      read: async () => Float32Array.from(await tensor.data()),
    })),
  );
  return file;
}
