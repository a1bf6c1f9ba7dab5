/** What datasets of image files share: params, the index, and reading. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Static, Type as T } from '#typebox';
import type { SampleFacts } from '../../graph/port.ts';
import type { LabelledFiles } from '../../runtime/data/layouts/labelled-files.ts';
import { copyToLocal } from '../../runtime/data/local-copy.ts';
import { type PartialLabels, packPartialLabels, partialLabelAt } from '../../runtime/data/partial-labels.ts';
import type { Dataset, Label } from '../../runtime/data/sample.ts';
import { pickStrings, type StringTable, stringAt } from '../../runtime/data/string-table.ts';
import { subsample, subsampleBalanced } from '../../runtime/data/subsample.ts';
import type { DatasetContext, DatasetIndex } from '../../runtime/node.ts';
import { createRandom } from '../../runtime/random.ts';
import { ANY_SIZE, limit } from './parts.ts';

/** Params of every dataset of image files. */
export const fileParams = {
  ...limit,
  sample: T.Optional(
    T.Object(
      {
        count: T.Integer({ minimum: 1, description: 'images to keep' }),
        balanced: T.Boolean({ default: false, description: 'as many of each class as of any other' }),
        skip: T.Integer({
          default: 0,
          minimum: 0,
          description: 'entries of the same draw to leave out first: for a second, disjoint part',
        }),
        seed: T.Integer({ default: 0, minimum: 0, description: 'which draw' }),
      },
      { description: 'use a random part of the images' },
    ),
  ),
  on_bad: T.Union([T.Literal('gray'), T.Literal('queue')], {
    default: 'gray',
    description:
      'what stands in for a picture that cannot be read. gray: a gray picture, marked not valid; queue: a picture read before by the same worker (which one depends on the workers), gray while there is none',
  }),
  default_gray_image_size: T.Integer({ default: 224, minimum: 1, description: 'side of the gray picture in pixels' }),
  copy_to_local_disk: T.Boolean({
    default: false,
    description: 'copy the images to a disk of this machine before training; a copy that is complete is used again',
  }),
  copy_destination_dir: T.Optional(
    T.String({ minLength: 1, description: 'folder for the copy; default pipe-data in the folder for temporary files' }),
  ),
  pixel_limit: T.Optional(
    T.Integer({ minimum: 1, description: 'pictures with more pixels count as bad; default 178956970, as in Pillow' }),
  ),
};

const all = T.Object(fileParams);
export type FileParams = Static<typeof all>;

/** Files and labels, shared by all threads. */
export interface FileIndex {
  /** relative paths start here */
  readonly root: string;
  readonly paths: StringTable;
  /** `labelSize` numbers per file; absent without labels */
  readonly labels?: Int32Array;
  readonly labelSize: number;
  /** lists of positive and negative classes instead of labels */
  readonly partial?: PartialLabels;
}

/** The index after `limit` and `sample`. Throws a RangeError when the sample is larger than what there is. */
export function fileIndex(files: FileIndex, params: FileParams, classes?: readonly string[]): DatasetIndex {
  const { limit: most, sample } = params;
  const length = Math.min(files.paths.length, most ?? files.paths.length);
  let chosen: Uint32Array | undefined;
  if (sample) {
    const random = createRandom(sample.seed, 'sample');
    if (sample.balanced && (!files.labels || files.labelSize !== 1)) {
      throw new RangeError('sample.balanced needs class labels, and the images have none');
    }
    chosen = sample.balanced
      ? subsampleBalanced(files.labels!.subarray(0, length), sample, random)
      : subsample(length, sample, random);
  } else if (length < files.paths.length) chosen = Uint32Array.from({ length }, (_, i) => i);
  const data: FileIndex = chosen ? pick(files, chosen) : files;
  return { length: data.paths.length, classes, data };
}

/** Facts of images with annotations of `labelSize` numbers. */
export const annotated = (labelSize: number): SampleFacts => ({
  views: [ANY_SIZE],
  dtype: 'uint8',
  labelled: true,
  labelSize,
});

/** The index of images as annotations list them. Throws a RangeError when there are more or fewer classes than said. */
export async function annotatedIndex(
  { classes, ...files }: LabelledFiles,
  context: DatasetContext<FileParams & { label_size: number }>,
): Promise<DatasetIndex> {
  const { label_size } = context.params;
  if (files.labelSize !== label_size) {
    const cure = `set "label_size" to ${files.labelSize}`;
    throw new RangeError(`${files.root} has ${files.labelSize} classes, and label_size is ${label_size}: ${cure}`);
  }
  return localIndex(fileIndex(files, context.params, classes), context);
}

/** The index, or that of a copy on a local disk where the params ask for one. */
export async function localIndex(
  index: DatasetIndex,
  { params, signal, notice }: DatasetContext<FileParams>,
): Promise<DatasetIndex> {
  if (!params.copy_to_local_disk) return index;
  const files = index.data as FileIndex;
  const destination = params.copy_destination_dir ?? join(tmpdir(), 'pipe-data');
  const { root, paths, copied, missing } = await copyToLocal(files.root, files.paths, destination, { signal });
  notice('info', `${copied} of ${paths.length} images were copied to ${root}`);
  if (missing > 0) notice('warning', `${missing} images of ${files.root} do not exist`);
  return { ...index, data: { ...files, root, paths } };
}

function pick(files: FileIndex, chosen: Uint32Array): FileIndex {
  const { labels, labelSize } = files;
  const picked = labels && new Int32Array(new SharedArrayBuffer(chosen.length * labelSize * 4));
  if (labels && picked) {
    chosen.forEach((from, to) => {
      picked.set(labels.subarray(from * labelSize, (from + 1) * labelSize), to * labelSize);
    });
  }
  const { partial } = files;
  return {
    ...files,
    paths: pickStrings(files.paths, chosen),
    labels: picked,
    partial: partial && packPartialLabels(Array.from(chosen, (i) => partialLabelAt(partial, i))),
  };
}

export function openFiles(params: FileParams, index: DatasetIndex): Dataset {
  const { root, paths, labels, labelSize, partial } = index.data as FileIndex;
  const labelAt = (i: number): Label => {
    if (partial) return partialLabelAt(partial, i);
    if (!labels) return -1;
    return labelSize === 1 ? labels[i] : Array.from(labels.subarray(i * labelSize, (i + 1) * labelSize));
  };
  return {
    length: index.length,
    read: (i) => {
      const name = stringAt(paths, i);
      return { source: { file: name.startsWith('/') ? name : join(root, name) }, label: labelAt(i), name };
    },
    replacement: { kind: params.on_bad, size: params.default_gray_image_size },
    pixelLimit: params.pixel_limit,
  };
}
