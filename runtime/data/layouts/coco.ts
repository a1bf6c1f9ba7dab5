/** COCO 2014: annotations/instances_<split>2014.json, train2014/ and val2014/. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { eachElement } from '../json-elements.ts';
import { byCodePoint } from '../string-table.ts';
import { type LabelledFiles, labelledFiles } from './labelled-files.ts';

export const COCO_SPLITS = ['train', 'val', 'minival', 'valminusminival'] as const;
export type CocoSplit = (typeof COCO_SPLITS)[number];

interface Image {
  readonly id: number;
  readonly file_name: string;
  readonly width: number;
  readonly height: number;
}

interface Instance {
  readonly image_id: number;
  readonly category_id: number;
  readonly bbox: readonly [x: number, y: number, width: number, height: number];
  readonly area: number;
  readonly ignore?: number;
}

/**
 * Images of a split with 1 for each class that has an object in them, else 0; classes in the order of the file. An object
 * counts unless it is marked as ignored, has no area, or its box, cut to the image, is not larger than a pixel. The file
 * is read element by element. Throws an Error that names the file.
 */
export async function readCoco(root: string, split: CocoSplit, signal?: AbortSignal): Promise<LabelledFiles> {
  const file = join(root, 'annotations', `instances_${split}2014.json`);
  await access(file).catch((cause) => {
    throw new Error(`${root} is no COCO folder: it has no annotations/instances_${split}2014.json`, { cause });
  });
  const images: Image[] = [];
  const categories: { id: number; name: string }[] = [];
  const seen: { image: number; category: number; box: number[] }[] = [];
  const take = (key: string, element: unknown) => {
    if (key === 'images') images.push(imageOf(element, file));
    else if (key === 'categories') categories.push(element as { id: number; name: string });
    else {
      const { image_id, category_id, bbox, area, ignore } = instanceOf(element, file);
      if (ignore !== 1 && area > 0) seen.push({ image: image_id, category: category_id, box: [...bbox] });
    }
  };
  await eachElement(file, ['images', 'categories', 'annotations'], take, signal);
  if (images.length === 0 || categories.length === 0) throw new Error(`${file} has no images or no categories`);
  const classes = new Map(categories.map(({ id }, k) => [id, k]));
  const rows = new Map(images.map((image) => [image.id, { image, label: new Uint8Array(categories.length) }]));
  for (const { image: id, category, box } of seen) {
    const row = rows.get(id);
    const k = classes.get(category);
    if (!row || k === undefined)
      throw new Error(`${file}: an object of image ${id}, category ${category}, is not listed`);
    if (visible(box, row.image)) row.label[k] = 1;
  }
  const folder = split === 'train' ? 'train2014' : 'val2014';
  const sorted = [...rows.values()].sort((a, b) => byCodePoint(a.image.file_name, b.image.file_name));
  const files = sorted.map(({ image, label }) => [`${folder}/${image.file_name}`, label] as const);
  const names = categories.map(({ name }) => String(name));
  return labelledFiles(root, files, categories.length, names);
}

/** Whether a box has a width and a height within its image; corners are pixels, so that w = 1 is one pixel wide. */
function visible([x, y, w, h]: readonly number[], { width, height }: Image): boolean {
  const clip = (value: number, size: number) => Math.min(size - 1, Math.max(0, value));
  const right = x + Math.max(0, w - 1);
  const lower = y + Math.max(0, h - 1);
  return clip(right, width) > clip(x, width) && clip(lower, height) > clip(y, height);
}

const whole = (value: unknown): value is number => Number.isInteger(value);
const number = (value: unknown): value is number => Number.isFinite(value);

function imageOf(value: unknown, file: string): Image {
  const { id, file_name, width, height } = value as Record<string, unknown>;
  if (whole(id) && typeof file_name === 'string' && number(width) && number(height)) {
    return { id, file_name, width, height };
  }
  throw new Error(`${file}: ${short(value)} is not an image with id, file_name, width and height`);
}

function instanceOf(value: unknown, file: string): Instance {
  const { image_id, category_id, bbox, area, ignore } = value as Record<string, unknown>;
  const box = Array.isArray(bbox) && bbox.length === 4 && bbox.every(number);
  if (whole(image_id) && whole(category_id) && box && number(area)) {
    return { image_id, category_id, area, bbox: bbox as unknown as Instance['bbox'], ignore: Number(ignore ?? 0) };
  }
  throw new Error(`${file}: ${short(value)} is not an object with image_id, category_id, bbox and area`);
}

const short = (value: unknown) => JSON.stringify(value).slice(0, 80);
