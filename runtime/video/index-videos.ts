import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { filesBelow } from '../data/walk.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { cachedFacts } from './index-cache.ts';
import { isVideo } from './input.ts';
import { probeVideo, type VideoFacts } from './probe.ts';
import { VideoError } from './video-error.ts';

export interface IndexedVideo {
  /** relative to the folder, with `/` */
  readonly path: string;
  /** absent when the video is bad */
  readonly facts?: VideoFacts;
  /** why it is bad, with the file's name */
  readonly fault?: string;
}

/** Videos in and below a folder, folder by folder, each by name. */
export const findVideos = (folder: string, signal: AbortSignal): Promise<string[]> =>
  filesBelow(folder, isVideo, signal);

/**
 * Looks at every video of the folder, a few at a time; the order is that of `findVideos`. A bad one is told of and does
 * not end the work. Throws the signal's reason.
 */
export async function indexVideos(
  ffmpeg: Ffmpeg,
  folder: string,
  signal: AbortSignal,
  onVideo: (video: IndexedVideo, done: number, all: number) => void = () => {},
): Promise<IndexedVideo[]> {
  const paths = await findVideos(folder, signal);
  const videos: IndexedVideo[] = new Array(paths.length);
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < paths.length; i = next++) {
      videos[i] = await look(ffmpeg, folder, paths[i], signal);
      onVideo(videos[i], ++done, paths.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(8, availableParallelism()) }, work));
  return videos;
}

async function look(ffmpeg: Ffmpeg, folder: string, path: string, signal: AbortSignal): Promise<IndexedVideo> {
  const file = join(folder, path);
  try {
    return { path, facts: await cachedFacts(file, () => probeVideo(ffmpeg, file, signal)) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof VideoError) return { path, fault: error.message };
    return { path, fault: `${file}: ${error instanceof Error ? error.message : String(error)}` };
  }
}
