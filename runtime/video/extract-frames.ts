import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Ffmpeg } from './ffmpeg.ts';
import { frameName } from './frame-name.ts';
import { inputArguments } from './input.ts';
import type { VideoFacts } from './probe.ts';
import { reason } from './probe.ts';
import { runFfmpeg } from './run-ffmpeg.ts';
import { VideoError } from './video-error.ts';

export interface Source {
  /** folder of the videos */
  readonly folder: string;
  /** relative to the folder, with `/` */
  readonly path: string;
  readonly facts: VideoFacts;
}

export interface ExtractOptions {
  /** png: the pixels as they are decoded; jpg: a tenth of the size. Default png */
  readonly format?: 'png' | 'jpg';
  /** a folder for each video, so that folders are classes; default lightly's flat names */
  readonly folders?: boolean;
}

/** Path of a frame's picture below the folder of pictures. */
export function extractedName(
  source: Pick<Source, 'path'>,
  frame: number,
  frames: number,
  options: ExtractOptions = {},
) {
  const name = frameName(source.path, frame, frames).replace(/png$/, options.format ?? 'png');
  return options.folders ? join(source.path.replaceAll('/', '__'), basename(name)) : name;
}

/**
 * Writes every frame of a video as a picture below `out`, named as lightly names frames. Nothing is done when its last
 * frame is there already. Pictures appear when all of them are made. Throws a VideoError when the video cannot be decoded
 * to its end, or has another number of frames than its index says.
 * @returns the number of pictures; 0 when they were there
 */
export async function extractFrames(
  ffmpeg: Ffmpeg,
  source: Source,
  out: string,
  signal: AbortSignal,
  options: ExtractOptions = {},
): Promise<number> {
  const { folder, path, facts } = source;
  const frames = facts.times.length;
  const target = (frame: number) => join(out, extractedName(source, frame, frames, options));
  if (await exists(target(frames - 1))) return 0;
  await mkdir(dirname(target(0)), { recursive: true });
  const aside = await mkdtemp(join(out, '.frames-'));
  try {
    const format = options.format ?? 'png';
    const quality = format === 'jpg' ? ['-q:v', '2', '-pix_fmt', 'yuvj420p'] : ['-pix_fmt', 'rgb24'];
    const output = ['-map', '0:v:0', ...ffmpeg.everyFrame, ...quality, '-start_number', '0', '-f', 'image2'];
    const pattern = `file:${join(aside.replaceAll('%', '%%'), `%d.${format}`)}`;
    const args = ['-xerror', ...inputArguments(join(folder, path)), ...output, pattern];
    const { code, errors } = await runFfmpeg(ffmpeg, args, signal);
    if (code !== 0) throw new VideoError(`${join(folder, path)}: ${reason(errors)}`);
    const made = (await readdir(aside)).length;
    if (made !== frames) {
      throw new VideoError(`${join(folder, path)}: ${made} frames were decoded, but its index has ${frames}`);
    }
    for (let frame = 0; frame < frames; frame++) await rename(join(aside, `${frame}.${format}`), target(frame));
    return frames;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
