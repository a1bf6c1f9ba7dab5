/** iNaturalist 2018: <split>2018.json beside train_val2018/. */
import { join } from 'node:path';
import { eachElement } from '../json-elements.ts';
import { type LabelledFiles, labelledFiles } from './labelled-files.ts';

/**
 * Images in the order of the file; the class is the number of the folder that an image lies in
 * (train_val2018/<group>/<class>/<image>). Throws an Error that names the file.
 */
export async function readINaturalist(
  root: string,
  split: 'train' | 'val',
  signal?: AbortSignal,
): Promise<LabelledFiles> {
  const file = join(root, `${split}2018.json`);
  const files: [string, number[]][] = [];
  await eachElement(
    file,
    ['images'],
    (_, element) => {
      const name = String((element as { file_name?: unknown }).file_name);
      const [, ...rest] = name.split('/');
      const label = Number(rest[1]);
      if (rest.length < 3 || !Number.isInteger(label)) {
        throw new Error(`${file}: ${name} is not of the form train_val2018/<group>/<class number>/<image>`);
      }
      files.push([`train_val2018/${rest.join('/')}`, [label]]);
    },
    signal,
  );
  if (files.length === 0) throw new Error(`${file} has no images`);
  return labelledFiles(root, files, 1);
}
