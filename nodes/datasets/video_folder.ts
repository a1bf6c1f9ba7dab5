import { basename, join } from 'node:path';
import type { Static } from '#typebox';
import type { NodeProblem } from '../../graph/node-type.ts';
import { type StringTable, StringTableBuilder, stringAt } from '../../runtime/data/string-table.ts';
import { type DatasetContext, type DatasetIndex, defineNode, T } from '../../runtime/node.ts';
import { fileParams } from './files.ts';
import { ANY_SIZE, limit, ports } from './parts.ts';
import { checkPath } from './paths.ts';

const params = T.Object({
  path: T.String({ minLength: 1, description: 'folder of videos, in it and below it' }),
  ...limit,
  on_bad: fileParams.on_bad,
  default_gray_image_size: fileParams.default_gray_image_size,
});

type Params = Static<typeof params>;

/** All frames of all videos, shared by the threads; video v has frames starts[v] to starts[v + 1] - 1 of them. */
interface VideoIndex {
  readonly ffmpeg: { readonly path: string; readonly everyFrame: readonly string[] };
  readonly paths: StringTable;
  /** of good videos: which of `paths`, which is also the label */
  readonly videos: Int32Array;
  readonly starts: Float64Array;
  /** seconds, of each frame */
  readonly times: Float64Array;
  /** frames that decoding can begin at, within their video; those of video v end at entryEnds[v] */
  readonly entries: Uint32Array;
  readonly entryEnds: Float64Array;
  /** width and height in turn, of good videos */
  readonly sizes: Int32Array;
}

async function scan({ params, signal, notice }: DatasetContext<Params>): Promise<DatasetIndex> {
  const { findFfmpeg } = await import('../../runtime/video/ffmpeg.ts');
  const { indexVideos } = await import('../../runtime/video/index-videos.ts');
  const ffmpeg = await findFfmpeg();
  const found = await indexVideos(ffmpeg, params.path, signal);
  const paths = new StringTableBuilder();
  for (const { path } of found) paths.add(path);
  const good = found.flatMap(({ facts }, label) => (facts ? [{ facts, label }] : []));
  const bad = found.flatMap(({ fault }) => (fault === undefined ? [] : [fault]));
  for (const fault of bad) notice('warning', `a video is left out: ${fault}`);
  if (good.length === 0) {
    const why = found.length === 0 ? 'has no videos' : `has ${found.length} videos, and none can be read: ${bad[0]}`;
    throw new RangeError(`${params.path} ${why}`);
  }
  if (bad.length > 0) notice('warning', `${params.path}: ${bad.length} of ${found.length} videos are left out`);
  const slow = good.filter(({ facts: { entries, times } }) => times.length / entries.length > SLOW).length;
  if (slow > 0) {
    const message = `${slow} videos have keyframes far apart, which makes frames at random slow`;
    notice('info', message, 'pipe video prepares a folder of videos or pictures that are fast');
  }
  const starts = shared(Float64Array, sums(good.map(({ facts }) => facts.times.length)));
  const data: VideoIndex = {
    ffmpeg: { path: ffmpeg.path, everyFrame: ffmpeg.everyFrame },
    paths: paths.finish(),
    videos: shared(Int32Array, good.map(({ label }) => label)), // biome-ignore format: one part a line
    starts,
    times: joined(Float64Array, good.map(({ facts }) => facts.times)), // biome-ignore format: one part a line
    entries: joined(Uint32Array, good.map(({ facts }) => facts.entries)), // biome-ignore format: one part a line
    entryEnds: shared(Float64Array, sums(good.map(({ facts }) => facts.entries.length)).slice(1)),
    sizes: shared(Int32Array, good.flatMap(({ facts: { width, height } }) => [width, height])), // biome-ignore format: one part a line
  };
  const frames = starts[starts.length - 1];
  return { length: Math.min(frames, params.limit ?? frames), classes: found.map(({ path }) => path), data };
}

/** frames from one that decoding can begin at to the next */
const SLOW = 30;

type Numbers = Float64Array | Int32Array | Uint32Array;

function shared<A extends Numbers>(
  Kind: { new (buffer: SharedArrayBuffer): A; BYTES_PER_ELEMENT: number },
  values: ArrayLike<number>,
): A {
  const array = new Kind(new SharedArrayBuffer(values.length * Kind.BYTES_PER_ELEMENT));
  array.set(values);
  return array;
}

function joined<A extends Numbers>(
  Kind: { new (buffer: SharedArrayBuffer): A; BYTES_PER_ELEMENT: number },
  parts: readonly A[],
): A {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const array = new Kind(new SharedArrayBuffer(length * Kind.BYTES_PER_ELEMENT));
  let at = 0;
  for (const part of parts) {
    array.set(part, at);
    at += part.length;
  }
  return array;
}

/** 0, the first, the first two, … all. */
function sums(counts: readonly number[]): number[] {
  const ends = [0];
  for (const count of counts) ends.push(ends[ends.length - 1] + count);
  return ends;
}

async function open({ params, signal }: DatasetContext<Params>, { length, data }: DatasetIndex) {
  const { FrameReader } = await import('../../runtime/video/frame-reader.ts');
  const { frameName } = await import('../../runtime/video/frame-name.ts');
  const { ffmpeg, paths, videos, starts, times, entries, entryEnds, sizes } = data as VideoIndex;
  const reader = new FrameReader(ffmpeg, signal);
  return {
    length,
    read: async (index: number) => {
      const video = lastAtMost(starts, index);
      const frame = index - starts[video];
      const path = stringAt(paths, videos[video]);
      const [width, height] = sizes.subarray(2 * video);
      const file = {
        file: join(params.path, path),
        width,
        height,
        times: times.subarray(starts[video], starts[video + 1]),
        entries: entries.subarray(video === 0 ? 0 : entryEnds[video - 1], entryEnds[video]),
      };
      const pixels = await reader.read(file, frame);
      const name = frameName(path, frame, file.times.length);
      return { source: { pixels, width, height, channels: 3 }, label: videos[video], name };
    },
    replacement: { kind: params.on_bad, size: params.default_gray_image_size },
  };
}

/** The last position whose value is at most `value`; the values rise. */
function lastAtMost(values: Float64Array, value: number): number {
  let [low, high] = [0, values.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle;
    else high = middle;
  }
  return low;
}

async function check({ params: { path } }: { params: Params }): Promise<NodeProblem[]> {
  const problem = await checkPath('path', path, 'folder');
  if (problem) return [problem];
  const { findVideos } = await import('../../runtime/video/index-videos.ts');
  const { VIDEO_EXTENSIONS } = await import('../../runtime/video/input.ts');
  const videos = await findVideos(path, new AbortController().signal);
  if (videos.length === 0) return [{ at: 'path', message: `${path} has no videos (${VIDEO_EXTENSIONS.join(' ')})` }];
  const { findFfmpeg } = await import('../../runtime/video/ffmpeg.ts');
  try {
    await findFfmpeg();
    return [];
  } catch (error) {
    return [{ at: 'path', message: `${basename(path)} holds videos, but ${(error as Error).message}` }];
  }
}

/**
 * Frames of the videos in and below a folder, each a sample; the label is the video's place among all, sorted. A video
 * that cannot be read (cut off, times that do not rise) is left out with a warning and keeps its label. Any frame can be
 * had by number, though at random each costs a start of the decoder: `pipe video` prepares folders that are faster.
 * Frames are named as lightly names them.
 */
export default defineNode({
  type: 'dataset/video_folder',
  role: 'dataset',
  description: 'Every frame of the videos (.mov .mp4 .avi …) in and below a folder; the label says which video.',
  aliases: ['video_folder'],
  params,
  ...ports,
  show: ['path'],
  facts: () => ({ views: [ANY_SIZE], dtype: 'uint8', labelled: true }),
  check,
  scan,
  open,
});
