/** Which checkpoint a run goes on from. */
import { rename, stat } from 'node:fs/promises';
import { compareSignatures, formatDifference, type Signature } from '../train/compare.ts';
import type { Files } from '../train/files.ts';
import { type FoundCheckpoint, findCheckpoint, openCheckpoint } from '../train/resume.ts';
import type { Plan } from './plan.ts';
import { trainingSignature } from './signature.ts';

/** The checkpoint belongs to another pipeline. */
export class ResumeError extends Error {
  override readonly name = 'ResumeError';
}

export interface Chosen {
  readonly from?: FoundCheckpoint;
  /** the run was complete: there is nothing left to do */
  readonly finished: boolean;
}

type Notice = (from: string, level: 'info' | 'warning', message: string, cure?: string) => void;

export async function chooseCheckpoint(
  plan: Plan,
  folder: string,
  resume: string,
  notice: Notice,
  files: Files,
): Promise<Chosen> {
  if (resume === 'fresh') {
    await setAside(folder, notice);
    return { finished: false };
  }
  const from = resume === 'auto' ? await newest(folder, notice, files) : await openCheckpoint(resume, files);
  if (!from) return { finished: false };
  refuseOtherPipeline(plan, from, notice);
  const { final, position } = from.manifest;
  const finished = final && position.epoch >= plan.graph.run.epochs;
  if (!finished) notice('run', 'info', `goes on from ${from.path}, iteration ${position.iteration}`);
  return { from, finished };
}

async function newest(folder: string, notice: Notice, files: Files): Promise<FoundCheckpoint | undefined> {
  const { found, damaged } = await findCheckpoint(folder, files);
  for (const { name, reason } of damaged) {
    notice(
      'run',
      'warning',
      `the checkpoint ${name} cannot be used: ${reason}; it was moved to ${name}.damaged`,
      found ? `The one before it is used: ${found.path}` : 'There is no other: the run begins anew',
    );
  }
  return found;
}

function refuseOtherPipeline(plan: Plan, { path, manifest }: FoundCheckpoint, notice: Notice): void {
  const differences = compareSignatures(manifest.signature as Signature, trainingSignature(plan.graph));
  const serious = differences.filter(({ harmless }) => !harmless);
  if (serious.length > 0) {
    const shown = serious.slice(0, 10).map((difference) => `\n  ${formatDifference(difference)}`);
    const rest = serious.length > 10 ? `\n  and ${serious.length - 10} more` : '';
    throw new ResumeError(
      `${path} is a checkpoint of another pipeline:${shown.join('')}${rest}\nUndo the change, run into another folder, begin anew with --fresh, or start from the weights alone with "weights" on the model nodes.`,
    );
  }
  for (const difference of differences) {
    notice('run', 'warning', `goes on although ${formatDifference(difference)}: the dataset may have moved`);
  }
}

/** Begin anew without deleting anything. */
async function setAside(folder: string, notice: Notice): Promise<void> {
  const exists = (path: string): Promise<boolean> =>
    stat(path).then(
      () => true,
      () => false,
    );
  if (!(await exists(folder))) return;
  let number = 1;
  while (await exists(`${folder}.${number}`)) number++;
  await rename(folder, `${folder}.${number}`);
  notice('run', 'info', `earlier checkpoints were moved to ${folder}.${number}`);
}
