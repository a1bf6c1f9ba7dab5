import checkpoint from '../../../nodes/hooks/checkpoint.ts';
import type { HookEvent, RunView } from '../../../runtime/events.ts';
import { isComplete, visslCheckpoint } from '../../../runtime/train/vissl-folder.ts';
import { openHook } from '../../support/node-context.ts';
import { type CheckContext, type Checker, NotSupported } from '../checker.ts';
import { same } from '../compare.ts';
import type { OracleCase } from '../oracle-file.ts';

/** Which file of a folder is taken. */
function checkResume({ params: { config }, inputs, outputs }: OracleCase): void {
  const files = inputs.files as readonly string[];
  const skipFinal = config.OVERWRITE_EXISTING as boolean;
  same(isComplete(files), outputs.has_final, 'has a final checkpoint');
  same(isComplete(files) && !skipFinal, outputs.training_finished, 'is finished');
  const iterations = config.CHECKPOINT_ITER_FREQUENCY > 0;
  const found = visslCheckpoint(files, { iterations, skipFinal, nth: config.LATEST_CHECKPOINT_RESUME_FILE_NUM });
  const want = outputs.file === 'None' ? undefined : (outputs.file ?? undefined);
  same(config.AUTO_RESUME ? found : undefined, want, 'file');
}

/** Checkpoints by iterations; by epochs ours count those that are done, the reference's their numbers from 0. */
async function checkPhase({ inputs, outputs }: OracleCase, context: CheckContext): Promise<void> {
  if (inputs.mode !== 'iteration') throw new NotSupported('epochs are counted another way');
  const hook = openHook(await context.backend(), checkpoint, { iterations: inputs.mode_frequency });
  let asked = false;
  const run = {
    checkpoint: async () => {
      asked = true;
      return '';
    },
  } as unknown as RunView;
  await hook.step!({ progress: { training: true, iteration: inputs.mode_num } } as HookEvent, run);
  same(asked, outputs.result, 'asks for a checkpoint');
}

async function check(one: OracleCase, context: CheckContext): Promise<void> {
  const { fn } = one.params;
  if (fn === 'get_resume_checkpoint') checkResume(one);
  else if (fn === 'is_checkpoint_phase') await checkPhase(one, context);
  else throw new NotSupported(`weights are found behind any prefix: there is no ${fn}`);
}

export default [{ pattern: /^checkpoints\/checkpoint_utils\.json$/, check }] satisfies readonly Checker[];
