/** What datasets of image files share: params, the index, and reading. */
import { join } from 'node:path';
import { type Static, Type as T } from '#typebox';
import { type PartialLabels, packPartialLabels, partialLabelAt } from '../../runtime/data/partial-labels.ts';
import type { Dataset, Label } from '../../runtime/data/sample.ts';
import { pickStrings, type StringTable, stringAt } from '../../runtime/data/string-table.ts';
import { subsample, subsampleBalanced } from '../../runtime/data/subsample.ts';
import type { DatasetIndex } from '../../runtime/node.ts';
import { createRandom } from '../../runtime/random.ts';
import { limit } from './parts.ts';

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
