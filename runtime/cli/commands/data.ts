/** `pipe data`: what a folder is taken for, and what is in it. */
import { join } from 'node:path';
import { readIdx } from '../../data/idx.ts';
import { type BadImage, readHeaders } from '../../data/survey/headers.ts';
import { type SizeReport, sizeReport } from '../../data/survey/sizes.ts';
import { type Survey, surveyFolder } from '../../data/survey/survey.ts';
import { takenFor } from '../../data/survey/taken-for.ts';
import { createCounter } from '../counter.ts';
import { plural } from '../output.ts';
import { interruptible, mustExist, refusal } from '../request.ts';
import { dataText } from './data-text.ts';

interface DataOptions {
  readonly sample: string;
  readonly decode?: boolean;
  readonly json?: boolean;
}

export interface DataReport {
  readonly path: string;
  readonly kind: string;
  readonly text: string;
  /** a node for a pipeline */
  readonly node?: Readonly<Record<string, string>>;
  readonly images: number;
  readonly videos: number;
  /** images beside class folders, which are left out */
  readonly loose: number;
  readonly classes: readonly { readonly name: string; readonly images: number }[];
  readonly idx: readonly { readonly file: string; readonly sizes: readonly number[] }[];
  /** files that are not read, by suffix */
  readonly others: Readonly<Record<string, number>>;
  /** images whose headers were read */
  readonly looked: number;
  readonly sizes?: SizeReport;
  readonly bad: readonly BadImage[];
  /** of splits */
  readonly parts?: readonly DataReport[];
}

export async function data(folder: string, options: DataOptions): Promise<void> {
  mustExist(folder, 'folder');
  const sample = options.sample === 'all' ? Number.POSITIVE_INFINITY : Number(options.sample);
  if (!(sample >= 0)) throw refusal(`--sample is "${options.sample}"`, 'Give a number of images, or all');
  const counter = createCounter();
  const report = await interruptible((signal) =>
    look(folder, { sample, decode: options.decode === true, signal, say: counter.show }),
  ).finally(counter.done);
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : dataText(report));
}

interface LookOptions {
  readonly sample: number;
  readonly decode: boolean;
  readonly signal: AbortSignal;
  say(text: string): void;
}

async function look(folder: string, options: LookOptions): Promise<DataReport> {
  const { sample, decode, signal, say } = options;
  const onFile = (files: number) => files % 256 === 0 && say(`${folder}: ${plural(files, 'file')} …`);
  const survey = await surveyFolder(folder, { sample, signal, onFile: onFile as (files: number) => void });
  const taken = takenFor(folder, survey);
  const parts = [];
  for (const part of taken.parts ?? []) parts.push(await look(join(folder, part), options));
  const onImage = (done: number) => say(`${folder}: ${done} of ${survey.sample.length} images read …`);
  const headers = taken.parts
    ? { images: [], bad: [] }
    : await readHeaders(folder, survey.sample, { decode, signal, onImage });
  const idx = taken.kind === 'idx' ? await idxFiles(folder, survey) : { files: [], bad: [] };
  return {
    path: folder,
    kind: taken.kind,
    text: taken.text,
    ...(taken.node ? { node: taken.node } : {}),
    images: survey.images,
    videos: survey.videos,
    loose: taken.kind === 'class folders' ? survey.loose : 0,
    classes: taken.kind === 'class folders' ? [...survey.classes].map(([name, images]) => ({ name, images })) : [],
    idx: idx.files,
    others: Object.fromEntries([...survey.others].sort(([, a], [, b]) => b - a)),
    looked: headers.images.length + headers.bad.length,
    ...(headers.images.length > 0 ? { sizes: sizeReport(headers.images) } : {}),
    bad: [...survey.faults, ...headers.bad, ...idx.bad],
    ...(taken.parts ? { parts } : {}),
  };
}

async function idxFiles(folder: string, { idx }: Survey) {
  const files: { file: string; sizes: readonly number[] }[] = [];
  const bad: BadImage[] = [];
  for (const file of idx.filter((path) => !path.includes('/'))) {
    try {
      files.push({ file, sizes: (await readIdx(join(folder, file))).sizes });
    } catch (error) {
      bad.push({ path: file, reason: (error as Error).message });
    }
  }
  return { files, bad };
}
