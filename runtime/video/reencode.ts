import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { exists, type Source } from './extract-frames.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { inputArguments } from './input.ts';
import { probeVideo, reason } from './probe.ts';
import { runFfmpeg } from './run-ffmpeg.ts';
import { VideoError } from './video-error.ts';

/** best first; the second is in every ffmpeg */
const ENCODERS = [
  ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '16', '-pix_fmt', 'yuv420p'],
  ['-c:v', 'mpeg4', '-q:v', '2', '-pix_fmt', 'yuv420p'],
];

/** The video's path below the folder of encoded ones: containers that seek well stay, others become .mp4. */
export function reencodedName(path: string): string {
  return ['.mp4', '.mov', '.m4v', '.mkv'].includes(extname(path).toLowerCase()) ? path : `${path}.mp4`;
}

/**
 * Encodes a video anew below `out` so that any frame is at most `interval` frames (default 12) behind one that decoding
 * can begin at. Frames keep their number and, to a thousandth of a second, their time; sound is dropped. Nothing is done
 * when the file is there already; it appears whole or not at all. Throws a VideoError.
 * @returns whether it was made
 */
export async function reencode(
  ffmpeg: Ffmpeg,
  { folder, path, facts }: Source,
  out: string,
  signal: AbortSignal,
  interval = 12,
): Promise<boolean> {
  const target = join(out, reencodedName(path));
  if (await exists(target)) return false;
  await mkdir(dirname(target), { recursive: true });
  const aside = join(dirname(target), `.part-${process.pid}-${basename(target)}`);
  const keys = ['-g', String(interval), '-keyint_min', String(interval), '-sc_threshold', '0', '-bf', '0'];
  try {
    let failure: readonly string[] = [];
    for (const encoder of ENCODERS) {
      // sizes that are odd cannot be halved for colour: a column or row is added
      const even = ['-vf', 'pad=ceil(iw/2)*2:ceil(ih/2)*2,settb=1/90000'];
      const output = ['-map', '0:v:0', '-an', ...even, ...ffmpeg.everyFrame, '-enc_time_base', '1:90000'];
      const args = ['-xerror', '-y', ...inputArguments(join(folder, path)), ...output, ...encoder, ...keys];
      const { code, errors } = await runFfmpeg(ffmpeg, [...args, `file:${aside}`], signal);
      failure = errors;
      if (code !== 0) continue;
      const made = await probeVideo(ffmpeg, aside, signal);
      if (made.times.length !== facts.times.length) {
        const counts = `${made.times.length} frames instead of ${facts.times.length}`;
        throw new VideoError(`${join(folder, path)}: encoding it anew gave ${counts}`);
      }
      await rename(aside, target);
      return true;
    }
    throw new VideoError(`${join(folder, path)}: ${reason(failure)}`);
  } finally {
    await rm(aside, { force: true });
  }
}
