/** Pascal VOC 2007 and 2012: ImageSets/Main/<class>_<set>.txt and JPEGImages/. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { byCodePoint } from '../string-table.ts';
import { type LabelledFiles, labelledFiles } from './labelled-files.ts';

export type VocSplit = 'train' | 'val';

/**
 * Images of a split with one number per class: 1 present, 0 absent, -1 difficult or not said. Classes are the files of
 * ImageSets/Main, by name; train is trainval and val is test, or train and val where there is no test set (2012).
 * Throws an Error that says what is missing.
 */
export async function readPascalVoc(root: string, split: VocSplit): Promise<LabelledFiles> {
  const folder = join(root, 'ImageSets', 'Main');
  const names = await readdir(folder).catch((cause) => {
    throw new Error(`${root} is no Pascal VOC folder: it has no ImageSets/Main`, { cause });
  });
  const ofSet = (set: string) => names.filter((name) => name.endsWith(`_${set}.txt`) && name.split('_').length === 2);
  const tested = ofSet('test').length > 0;
  const [train, val] = tested ? [ofSet('trainval'), ofSet('test')] : [ofSet('train'), ofSet('val')];
  if (train.length === 0 || train.length !== val.length) {
    const sets = tested ? ['trainval', 'test'] : ['train', 'val'];
    throw new Error(`${folder} has ${train.length} classes in ${sets[0]} and ${val.length} in ${sets[1]}`);
  }
  const files = (split === 'train' ? train : val).sort(byCodePoint);
  const labels = new Map<string, Int32Array>();
  for (const [k, name] of files.entries()) {
    for (const [image, label] of await readClass(join(folder, name))) {
      const row = labels.get(image) ?? new Int32Array(files.length).fill(-1);
      labels.set(image, row);
      row[k] = label === 1 ? 1 : label === -1 ? 0 : -1;
    }
  }
  const images = [...labels.keys()].sort(byCodePoint);
  const classes = files.map((name) => name.split('_')[0]);
  const rows = images.map((image) => [`JPEGImages/${image}.jpg`, labels.get(image)!] as const);
  return labelledFiles(root, rows, files.length, classes);
}

async function readClass(file: string): Promise<[image: string, label: number][]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  return lines.flatMap((line, i): [string, number][] => {
    const cells = line.trim().split(/\s+/);
    if (cells[0] === '') return [];
    const label = Number(cells[1]);
    if (cells.length !== 2 || ![1, 0, -1].includes(label)) {
      throw new Error(`${file}:${i + 1}: expected an image and 1, 0 or -1, not ${JSON.stringify(line.trim())}`);
    }
    return [[cells[0], label]];
  });
}
