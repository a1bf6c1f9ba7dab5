import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import checkpoint from '../../../nodes/hooks/checkpoint.ts';
import type { HookEvent, RunView } from '../../../runtime/events.ts';
import type { NodeType } from '../../../runtime/node.ts';
import { fitNames } from '../../../runtime/train/fit-names.ts';
import { isFeatureExtractor, renamed } from '../../../runtime/train/rename.ts';
import { isComplete, visslCheckpoint } from '../../../runtime/train/vissl-folder.ts';
import { classifier, runDocument } from '../../engine/fixtures/graph.ts';
import { openHook } from '../../support/node-context.ts';
import { type CheckContext, type Checker, NotSupported } from '../checker.ts';
import { fails, same } from '../compare.ts';
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

/** After which steps the hook asks. */
async function checkIteration({ inputs, outputs }: OracleCase, context: CheckContext): Promise<void> {
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

/** A run of so many epochs of one step: is there a checkpoint after the epoch of this number, from 0? */
async function checkEpoch({ inputs, outputs }: OracleCase): Promise<void> {
  if (inputs.mode_num !== inputs.train_phase_idx) throw new NotSupported('test phases are not counted');
  const out = await mkdtemp(join(tmpdir(), 'pipe-phases-'));
  try {
    const document = classifier({
      nodes: { images: { type: 'dataset/shapes', length: 4, size: 8 } },
      run: { epochs: inputs.num_train_phases },
      hooks: [{ type: 'hook/checkpoint', every: inputs.mode_frequency, first: true }],
    });
    await runDocument(document, out, { extra: [checkpoint as NodeType] });
    const steps = (await readdir(join(out, 'checkpoints'))).map((name) => Number(/^step-(\d+)/.exec(name)?.[1]));
    same(steps.includes(inputs.mode_num + 1), outputs.result, 'there is a checkpoint');
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** A model of a trunk and heads finds its own in a file of these names, behind the prefixes that they have in VISSL. */
async function checkCompatible({ inputs, outputs }: OracleCase): Promise<void> {
  const keys = inputs.keys as readonly string[];
  const fits = (prefix: string): boolean => {
    const own = keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
    try {
      fitNames(keys, own.length > 0 ? own : ['weight'], prefix, prefix.slice(0, -1));
      return true;
    } catch {
      return false;
    }
  };
  const refuse = () => {
    if (!fits('trunk.') && !fits('heads.')) throw new Error('no model of the run is in the file');
  };
  if (outputs.error) await fails(refuse, 'a file of other models');
  else same(refuse(), undefined, 'the file fits');
}

async function check(one: OracleCase, context: CheckContext): Promise<void> {
  const { params, inputs, outputs } = one;
  const rename = (from: string, to: string) => inputs.keys.map((key: string) => renamed(key, { from, to }));
  switch (params.fn) {
    case 'get_resume_checkpoint':
      return checkResume(one);
    case 'is_checkpoint_phase':
      return inputs.mode === 'iteration' ? checkIteration(one, context) : checkEpoch(one);
    case 'replace_module_prefix':
      return same(rename(params.prefix, params.replace_with), outputs.keys, 'names');
    case 'append_module_prefix':
      return same(rename('', params.prefix), outputs.keys, 'names');
    case 'is_feature_extractor_state_dict':
      return same(isFeatureExtractor(inputs.keys), outputs.result, 'is a feature extractor');
    case 'check_model_compatibility':
      return checkCompatible(one);
    default:
      throw new NotSupported(`there is no ${params.fn}`);
  }
}

export default [{ pattern: /^checkpoints\/checkpoint_utils\.json$/, check }] satisfies readonly Checker[];
