import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Static } from '#typebox';
import type { NodeProblem } from '../../graph/node-type.ts';
import { readIdx } from '../../runtime/data/idx.ts';
import { type DatasetContext, type DatasetIndex, defineNode, T } from '../../runtime/node.ts';
import { limit, limited, ports } from './parts.ts';
import { checkPath } from './paths.ts';

const params = T.Object({
  path: T.String({ minLength: 1, description: 'folder of the files' }),
  split: T.Union([T.Literal('train'), T.Literal('test')], {
    default: 'train',
    description: 'train reads train-images-idx3-ubyte and train-labels-idx1-ubyte, test the files that begin with t10k',
  }),
  images: T.Optional(T.String({ minLength: 1, description: 'name of the file of images, instead of by split' })),
  labels: T.Optional(T.String({ minLength: 1, description: 'name of the file of labels, instead of by split' })),
  size: T.Tuple([T.Integer({ minimum: 1 }), T.Integer({ minimum: 1 })], {
    default: [28, 28],
    description: 'height and width of the images, which must be those of the file',
  }),
  classes: T.Integer({ default: 10, minimum: 1, description: 'number of classes' }),
  ...limit,
});

type Params = Static<typeof params>;

interface Pictures {
  /** packed RGB */
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

/** Names that a file goes by, the usual one first. */
function names({ split, images, labels }: Params, what: 'images' | 'labels'): readonly string[] {
  const given = what === 'images' ? images : labels;
  if (given !== undefined) return [given];
  const stem = `${split === 'train' ? 'train' : 't10k'}-${what}`;
  const dims = what === 'images' ? 'idx3' : 'idx1';
  return ['', '.gz'].flatMap((gz) => [`${stem}-${dims}-ubyte${gz}`, `${stem}.${dims}-ubyte${gz}`]);
}

async function find(params: Params, what: 'images' | 'labels'): Promise<string | undefined> {
  for (const name of names(params, what)) {
    const file = join(params.path, name);
    if (await access(file).then(() => true, () => false)) return file; // biome-ignore format: one thought
  }
  return undefined;
}

async function required(params: Params, what: 'images' | 'labels'): Promise<string> {
  const file = await find(params, what);
  if (file === undefined) throw new Error(`${params.path} has none of ${names(params, what).join(', ')}`);
  return file;
}

async function scan({ params }: DatasetContext<Params>): Promise<DatasetIndex> {
  const file = await required(params, 'images');
  const images = await readIdx(file);
  const labels = await readIdx(await required(params, 'labels'));
  const [count, height, width, channels = 1] = images.sizes;
  if (height !== params.size[0] || width !== params.size[1] || (channels !== 1 && channels !== 3)) {
    throw new Error(`${file} holds images of ${images.sizes.slice(1).join('×')}: set "size" to [${height}, ${width}]`);
  }
  if (labels.sizes.length !== 1 || labels.sizes[0] !== count) {
    throw new Error(`${file} has ${count} images, and the file of labels ${labels.sizes.join('×')} numbers`);
  }
  const length = limited(count, params.limit);
  const pixels = new Uint8Array(new SharedArrayBuffer(length * height * width * 3));
  if (channels === 3) pixels.set(images.bytes.subarray(0, pixels.length));
  else for (let i = 0, to = 0; to < pixels.length; i++, to += 3) pixels.fill(images.bytes[i], to, to + 3);
  const own = new Uint8Array(new SharedArrayBuffer(length));
  own.set(labels.bytes.subarray(0, length));
  const data: Pictures = { pixels, labels: own };
  return { length, classes: Array.from({ length: params.classes }, (_, i) => String(i)), data };
}

async function check({ params }: { params: Params }): Promise<NodeProblem[]> {
  const problem = await checkPath('path', params.path, 'folder');
  if (problem) return [problem];
  const problems: NodeProblem[] = [];
  for (const what of ['images', 'labels'] as const) {
    if ((await find(params, what)) !== undefined) continue;
    const [usual] = names(params, what);
    const cure = `Put ${usual} (or .gz) there, or name the file by "${what}"`;
    problems.push({ at: what, message: `${params.path} has no file of ${what} for split ${params.split}`, cure });
  }
  return problems;
}

/** MNIST, Fashion-MNIST and other IDX files. Gray images become three equal channels, as Pillow's convert('RGB'). */
export default defineNode({
  type: 'dataset/idx',
  role: 'dataset',
  description: 'Images and labels of IDX files (MNIST, Fashion-MNIST), gzipped or not.',
  params,
  ...ports,
  show: ['path', 'split'],
  facts: ({ size: [height, width], classes }) => ({
    views: [[[height], [width], [3]]],
    dtype: 'uint8',
    labelled: true,
    classes,
  }),
  check,
  scan,
  open: ({ params: { size } }, { length, data }) => {
    const [height, width] = size;
    const { pixels, labels } = data as Pictures;
    const bytes = height * width * 3;
    return {
      length,
      read: (i) => ({
        source: { pixels: pixels.subarray(i * bytes, (i + 1) * bytes), width, height, channels: 3 },
        label: labels[i],
      }),
    };
  },
});
