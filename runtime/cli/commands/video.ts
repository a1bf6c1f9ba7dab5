/** `pipe video`: what a folder of videos holds; and the same as pictures, or as videos that are fast at random. */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { extractFrames } from '../../video/extract-frames.ts';
import { type Ffmpeg, findFfmpeg } from '../../video/ffmpeg.ts';
import { type IndexedVideo, indexVideos } from '../../video/index-videos.ts';
import { reencode } from '../../video/reencode.ts';
import { VideoError } from '../../video/video-error.ts';
import { createCounter } from '../counter.ts';
import { exitCode, plural } from '../output.ts';
import { interruptible, mustExist, refusal } from '../request.ts';

interface VideoOptions {
  readonly out?: string;
  readonly as: 'frames' | 'videos';
  readonly format: 'png' | 'jpg';
  readonly folders?: boolean;
  readonly interval: string;
  readonly json?: boolean;
}

interface VideoReport {
  readonly path: string;
  readonly frames?: number;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly seconds?: number;
  /** frames that decoding can begin at */
  readonly keyframes?: number;
  /** why it is left out */
  readonly fault?: string;
  /** what was written: pictures, or videos; 0 when it was there */
  readonly written?: number;
}

export async function video(folder: string, options: VideoOptions): Promise<void> {
  mustExist(folder, 'folder');
  const interval = Number(options.interval);
  if (!Number.isInteger(interval) || interval < 1) {
    throw refusal(`--interval is "${options.interval}"`, 'Give the number of frames from one keyframe to the next');
  }
  if (options.out !== undefined && resolve(options.out) === resolve(folder)) {
    throw refusal(
      'the videos and what is made of them cannot lie in the same folder',
      'Name another folder with --out',
    );
  }
  const ffmpeg = await findFfmpeg();
  const counter = createCounter();
  const reports = await interruptible(async (signal) => {
    const onVideo = ({ path }: IndexedVideo, done: number, all: number) => counter.show(`${done} of ${all}  ${path}`);
    const videos = await indexVideos(ffmpeg, folder, signal, onVideo);
    if (videos.length === 0) throw refusal(`${folder} has no videos`);
    const found: VideoReport[] = [];
    for (const [i, one] of videos.entries()) {
      counter.show(`${i + 1} of ${videos.length}  ${one.path}`);
      found.push({ ...describe(one), ...(await prepare(ffmpeg, folder, one, options, interval, signal)) });
    }
    return found;
  }).finally(counter.done);
  process.stdout.write(options.json ? `${JSON.stringify(reports, null, 2)}\n` : text(folder, reports, options));
  if (reports.every(({ fault }) => fault !== undefined)) process.exitCode = exitCode.failed;
}

function describe({ path, facts, fault }: IndexedVideo): VideoReport {
  if (!facts) return { path, fault };
  const { width, height, fps, times, entries } = facts;
  const seconds = times[times.length - 1] - times[0] + (fps > 0 ? 1 / fps : 0);
  return { path, frames: times.length, width, height, fps, seconds, keyframes: entries.length };
}

async function prepare(
  ffmpeg: Ffmpeg,
  folder: string,
  { path, facts }: IndexedVideo,
  { out, as, format, folders }: VideoOptions,
  interval: number,
  signal: AbortSignal,
): Promise<Pick<VideoReport, 'written' | 'fault'>> {
  if (!facts || out === undefined) return {};
  mkdirSync(out, { recursive: true });
  try {
    const source = { folder, path, facts };
    if (as === 'frames') return { written: await extractFrames(ffmpeg, source, out, signal, { format, folders }) };
    return { written: Number(await reencode(ffmpeg, source, out, signal, interval)) };
  } catch (error) {
    if (error instanceof VideoError) return { fault: error.message };
    throw error;
  }
}

function text(folder: string, reports: readonly VideoReport[], { out, as }: VideoOptions): string {
  const width = Math.max(...reports.map(({ path }) => path.length));
  const lines = reports.map((one) => {
    if (one.frames === undefined) return `${one.path.padEnd(width)}  left out: ${one.fault}`;
    const size = `${one.width}×${one.height}`;
    const facts = `${plural(one.frames, 'frame')}, ${size}, ${one.fps!.toFixed(2)} fps, ${plural(one.keyframes!, 'keyframe')}`;
    const made = one.fault ? `; failed: ${one.fault}` : one.written === 0 ? '; was there already' : '';
    return `${one.path.padEnd(width)}  ${facts}${made}`;
  });
  const good = reports.filter(({ fault }) => fault === undefined);
  const frames = good.reduce((sum, one) => sum + one.frames!, 0);
  const bad = reports.length - good.length;
  lines.push(`${plural(good.length, 'video')}, ${plural(frames, 'frame')}${bad > 0 ? `; ${bad} left out` : ''}`);
  if (out === undefined) lines.push(`As a node: ${JSON.stringify({ type: 'dataset/video_folder', path: folder })}`);
  else {
    const node =
      as === 'frames' ? { type: 'dataset/disk_folder', path: out } : { type: 'dataset/video_folder', path: out };
    lines.push(`Written to ${out}. As a node: ${JSON.stringify(node)}`);
  }
  return `${lines.join('\n')}\n`;
}
