/** Lists of ImageNet's image ids, such as the 1 % and 10 % that SimCLR was evaluated with (Chen et al. 2020, arXiv:2002.05709). */
import { readFile } from 'node:fs/promises';
import { listFolder } from '../walk.ts';
import { type LabelledFiles, labelledFiles } from './labelled-files.ts';

/**
 * Images n01440764_10026.JPEG, one a line, below the class folders of `root`: n01440764/n01440764_10026.JPEG; the class
 * is the position of the folder among all, sorted. Throws an Error that names the file and line.
 */
export async function readImageIds(file: string, root: string): Promise<LabelledFiles> {
  const { folders } = await listFolder(root);
  const classes = new Map(folders.map((name, k) => [name, k]));
  const lines = (await readFile(file, 'utf8')).split('\n');
  const files = lines.flatMap((line, i): [string, number[]][] => {
    const name = line.trim();
    if (name === '') return [];
    const folder = name.slice(0, Math.max(0, name.lastIndexOf('_')));
    const label = classes.get(folder);
    if (label === undefined) throw new Error(`${file}:${i + 1}: ${name} belongs to no class folder of ${root}`);
    return [[`${folder}/${name}`, [label]]];
  });
  if (files.length === 0) throw new Error(`${file} is empty`);
  return labelledFiles(root, files, 1, folders);
}
