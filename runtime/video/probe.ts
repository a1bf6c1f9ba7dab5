import { extname } from 'node:path';
import type { Ffmpeg } from './ffmpeg.ts';
import { inputArguments } from './input.ts';
import { runFfmpeg } from './run-ffmpeg.ts';
import { VideoError } from './video-error.ts';

export interface VideoFacts {
  /** pixels, as stored */
  readonly width: number;
  readonly height: number;
  /** when each frame is shown, in seconds from the begin of the file; strictly rising */
  readonly times: Float64Array;
  /** mean frames per second; 0 for one frame */
  readonly fps: number;
  /** frames that decoding can begin at, rising, 0 first: the fewer, the slower is a frame at random */
  readonly entries: Uint32Array;
}

/** Containers without an index: a seek may miss its frame, so decoding begins at the first one. */
const WITHOUT_INDEX = ['.mpg', '.mpeg', '.hevc'];

/**
 * Size and frames of a video. Packets are listed without decoding them; where they do not tell the times (AVI with
 * B-frames), it is decoded once. Throws a VideoError that says what is wrong: not a video, cut off, no frames, times that
 * do not rise.
 */
export async function probeVideo(ffmpeg: Ffmpeg, file: string, signal: AbortSignal): Promise<VideoFacts> {
  const packets = await list(ffmpeg, file, ['-c', 'copy'], signal);
  const decode = ['-c:v', 'rawvideo', '-enc_time_base', '-1', ...ffmpeg.everyFrame];
  const { times } = packets.timeless === 0 ? packets : await list(ffmpeg, file, decode, signal);
  if (times.length === 0) throw new VideoError(`${file}: it has no frames`);
  const rising = Float64Array.from(times).sort();
  const stuck = rising.findIndex((time, i) => i > 0 && !(time > rising[i - 1]));
  if (stuck > 0) {
    const at = `${rising[stuck].toFixed(3)} s`;
    throw new VideoError(`${file}: frames ${stuck - 1} and ${stuck} have the same time, ${at}. Encode it anew.`);
  }
  const { width, height, timeless } = packets;
  const seekable = timeless === 0 && !WITHOUT_INDEX.includes(extname(file).toLowerCase());
  const lasts = rising[rising.length - 1] - rising[0];
  return {
    width,
    height,
    times: rising,
    fps: lasts > 0 ? (rising.length - 1) / lasts : 0,
    entries: seekable ? entriesOf(rising, packets.keys) : Uint32Array.of(0),
  };
}

function entriesOf(times: Float64Array, keys: ReadonlySet<number>): Uint32Array {
  const entries = [0];
  for (let i = 1; i < times.length; i++) if (keys.has(times[i])) entries.push(i);
  return Uint32Array.from(entries);
}

interface Listed {
  readonly width: number;
  readonly height: number;
  /** seconds, in the order of the file */
  readonly times: readonly number[];
  /** packets without a time */
  readonly timeless: number;
  /** times of packets that need no other to be decoded */
  readonly keys: ReadonlySet<number>;
}

/** flags of packets */
const KEY = 1;
const NOT_SHOWN = 4;
const NO_TIME = -(2 ** 63);

/** ffmpeg's list of packets: "stream, dts, pts, duration, bytes, checksum[, F=flags]"; flags are KEY when left out. */
async function list(ffmpeg: Ffmpeg, file: string, how: readonly string[], signal: AbortSignal): Promise<Listed> {
  let [width, height, tick, timeless] = [0, 0, 0, 0];
  const keys = new Set<number>();
  const times: number[] = [];
  const read = (line: string): void => {
    const [, name, first, second] = /^#(\w+) 0: (\d+)[/x](\d+)$/.exec(line) ?? [];
    if (name === 'tb') tick = Number(first) / Number(second);
    else if (name === 'dimensions') [width, height] = [Number(first), Number(second)];
    if (line.startsWith('#')) return;
    const cells = line.split(',');
    const flags = Number(/F=(0x[0-9A-F]+)/i.exec(line)?.[1] ?? KEY);
    if (cells.length < 6 || (flags & NOT_SHOWN) !== 0) return;
    const time = Number(cells[2]) * tick;
    if (Number(cells[2]) === NO_TIME) timeless++;
    else times.push(time);
    if ((flags & KEY) !== 0) keys.add(time);
  };
  const args = ['-xerror', ...inputArguments(file), '-map', '0:v:0', ...how, '-f', 'framecrc', '-'];
  const { code, errors } = await runFfmpeg(ffmpeg, args, signal, read);
  if (code !== 0) throw new VideoError(`${file}: ${reason(errors)}`);
  return { width, height, times, timeless, keys };
}

/** What to say for what ffmpeg said. */
export function reason(errors: readonly string[]): string {
  const said = errors.join('; ');
  if (/moov atom not found/.test(said)) return 'it is cut off, or not a video: its index is missing';
  if (/corrupt input packet|partial file/.test(said)) return 'it is cut off or damaged. Fetch it again';
  if (/not on whitelist/.test(said)) return 'it is not a video file, but something of another kind with that suffix';
  if (/matches no streams/.test(said)) return 'it holds no pictures, only sound';
  if (/Invalid data found when processing input/.test(said)) return 'it is not a video';
  if (/No such file/.test(said)) return 'there is no such file';
  return errors.length > 0 ? errors.slice(0, 3).join('; ') : 'it cannot be read';
}
