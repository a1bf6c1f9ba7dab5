/** `pipe dataset lists` and `pipe dataset copy`: what is prepared before training. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { COCO_SPLITS, type CocoSplit, readCoco } from '../../data/layouts/coco.ts';
import { readImageIds } from '../../data/layouts/image-ids.ts';
import { readINaturalist } from '../../data/layouts/inaturalist.ts';
import { type LabelledFiles, labelledFiles } from '../../data/layouts/labelled-files.ts';
import { readPascalVoc } from '../../data/layouts/pascal-voc.ts';
import { copyToLocal } from '../../data/local-copy.ts';
import { writeNpy, writeNpyStrings } from '../../data/npy-write.ts';
import { StringTableBuilder, stringAt } from '../../data/string-table.ts';
import { filesBelow, imagesBelow, listFolder } from '../../data/walk.ts';
import { createCounter } from '../counter.ts';
import { plural } from '../output.ts';
import { interruptible, mustExist, refusal } from '../request.ts';

interface ListsOptions {
  readonly out: string;
  readonly ids?: string;
}

type Read = (signal: AbortSignal) => Promise<LabelledFiles>;

/** Splits of a folder, by its layout. */
function splitsOf(root: string): Record<string, Read> {
  const has = (...path: string[]) => existsSync(join(root, ...path));
  if (has('ImageSets', 'Main')) {
    return { train: () => readPascalVoc(root, 'train'), val: () => readPascalVoc(root, 'val') };
  }
  const annotated = COCO_SPLITS.filter((split: CocoSplit) => has('annotations', `instances_${split}2014.json`));
  if (annotated.length > 0) {
    return Object.fromEntries(annotated.map((split) => [split, (signal) => readCoco(root, split, signal)]));
  }
  if (has('train2018.json') || has('val2018.json')) {
    const splits = (['train', 'val'] as const).filter((split) => has(`${split}2018.json`));
    return Object.fromEntries(splits.map((split) => [split, (signal) => readINaturalist(root, split, signal)]));
  }
  const parts = ['train', 'val', 'test'].filter((split) => has(split));
  if (parts.length > 0) {
    return Object.fromEntries(parts.map((split) => [split, (signal) => classFolders(join(root, split), signal)]));
  }
  return { train: (signal) => classFolders(root, signal) };
}

async function classFolders(root: string, signal: AbortSignal): Promise<LabelledFiles> {
  const { folders } = await listFolder(root);
  const files: [string, number[]][] = [];
  for (const [label, folder] of folders.entries()) {
    for (const image of await imagesBelow(join(root, folder), signal)) files.push([`${folder}/${image}`, [label]]);
  }
  if (files.length === 0) throw refusal(`${root} has no images in class folders`);
  return labelledFiles(root, files, 1, folders);
}

/** Writes <split>_images.npy and <split>_labels.npy, and prints the entry for a catalog. */
export async function lists(folder: string, options: ListsOptions): Promise<void> {
  mustExist(folder, 'folder');
  const root = resolve(folder);
  if (options.ids !== undefined) mustExist(options.ids, 'file');
  const splits = options.ids === undefined ? splitsOf(root) : { train: () => readImageIds(options.ids!, root) };
  await mkdir(options.out, { recursive: true });
  const entry: Record<string, [string, string]> = {};
  await interruptible(async (signal) => {
    for (const [split, read] of Object.entries(splits)) {
      const { paths, labels, labelSize, root: base } = await read(signal);
      const images = resolve(options.out, `${split}_images.npy`);
      const labelFile = resolve(options.out, `${split}_labels.npy`);
      const names = Array.from({ length: paths.length }, (_, i) => join(base, stringAt(paths, i)));
      await writeNpyStrings(images, names);
      const shape = labelSize === 1 ? [paths.length] : [paths.length, labelSize];
      await writeNpy(labelFile, { shape, values: labels });
      entry[split] = [images, labelFile];
      process.stderr.write(`${split}: ${plural(paths.length, 'image')}, ${plural(labelSize, 'number')} per label\n`);
    }
  });
  process.stdout.write(`${JSON.stringify(entry, null, 2)}\n`);
}

/** Copies a folder of images to a local disk and prints where it lies now. */
export async function copy(folder: string, destination: string, options: { threads: number }): Promise<void> {
  mustExist(folder, 'folder');
  const { threads } = options;
  if (!(Number.isInteger(threads) && threads >= 1))
    throw refusal(`--threads is ${threads}`, 'Give a whole number from 1');
  const counter = createCounter();
  const copied = await interruptible(async (signal) => {
    const paths = new StringTableBuilder();
    for (const file of await filesBelow(folder, () => true, signal)) paths.add(file);
    const table = paths.finish();
    const onFile = (done: number) => counter.show(`${done} of ${table.length} files …`);
    return copyToLocal(folder, table, destination, { signal, threads, onFile });
  }).finally(counter.done);
  process.stderr.write(
    `${plural(copied.copied, 'file')} copied, ${copied.paths.length - copied.copied} there already\n`,
  );
  process.stdout.write(`${copied.root}\n`);
}
