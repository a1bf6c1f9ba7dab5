import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { inputArguments } from './input.ts';
import { reason } from './probe.ts';
import { tidy } from './run-ffmpeg.ts';
import { VideoError } from './video-error.ts';

export interface VideoFile {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly times: Float64Array;
  /** frames that decoding can begin at, rising, 0 first */
  readonly entries: Uint32Array;
}

/** Frames that are decoded and thrown away sooner than a new decoder is started: both take about a tenth of a second. */
const NEAR = 48;

/**
 * Frames of videos by number. A decoder stays where it stopped, so frames in rising order cost their decoding alone;
 * another frame costs a start and the way from the keyframe before it. One request at a time is served, in order.
 */
export class FrameReader {
  readonly #ffmpeg: Pick<ReaderProgram, 'path' | 'everyFrame'>;
  #decoder: Decoder | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(ffmpeg: ReaderProgram, signal?: AbortSignal) {
    this.#ffmpeg = ffmpeg;
    signal?.addEventListener('abort', () => this.close(), { once: true });
  }

  /** Packed RGB bytes of a frame. Throws a RangeError for a number that there is not, a VideoError when it cannot be decoded. */
  read(video: VideoFile, frame: number): Promise<Uint8Array> {
    const result = this.#last.then(() => this.#read(video, frame));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Ends the decoder; a later `read` starts another. */
  close(): void {
    this.#decoder?.end();
    this.#decoder = undefined;
  }

  async #read(video: VideoFile, frame: number): Promise<Uint8Array> {
    const frames = video.times.length;
    if (!Number.isInteger(frame) || frame < 0 || frame >= frames) {
      throw new RangeError(`${video.file} has frames 0 to ${frames - 1}; there is no frame ${frame}`);
    }
    const next = this.#decoder?.file === video.file ? this.#decoder.next : Number.POSITIVE_INFINITY;
    const isAhead = next <= frame && (frame - next <= NEAR || entryOf(video, frame) <= next);
    if (!isAhead) {
      this.close();
      this.#decoder = new Decoder(this.#ffmpeg, video, frame);
    }
    try {
      return await this.#decoder!.frame(frame);
    } catch (error) {
      this.close();
      throw error;
    }
  }
}

/** The last entry that is not after the frame. */
function entryOf({ entries }: VideoFile, frame: number): number {
  let [low, high] = [0, entries.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (entries[middle] <= frame) low = middle;
    else high = middle;
  }
  return entries[low];
}

/** What starts a decoder; part of Ffmpeg. */
export interface ReaderProgram {
  readonly path: string;
  readonly everyFrame: readonly string[];
}

/** ffmpeg at work on one video, from one frame on. */
class Decoder {
  readonly file: string;
  /** frame that comes next */
  next: number;
  readonly #bytes: number;
  readonly #child: ChildProcess;
  readonly #output: AsyncIterator<Buffer>;
  readonly #errors: string[] = [];
  #rest: Buffer = Buffer.alloc(0);

  constructor({ path, everyFrame }: ReaderProgram, video: VideoFile, from: number) {
    const { file, width, height, times } = video;
    const entry = entryOf(video, from);
    this.file = file;
    this.next = from;
    this.#bytes = width * height * 3;
    // Half way from the frame before: nearer than any rounding of times. To the entry, not to the frame: frames that are
    // stored after an entry and shown before it could not be decoded from there.
    const seek = entry === 0 ? [] : ['-ss', ((times[entry - 1] + times[entry]) / 2).toFixed(6)];
    const skip = entry === from ? [] : ['-vf', `trim=start_frame=${from - entry}`];
    const output = ['-map', '0:v:0', ...skip, ...everyFrame, '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-'];
    const args = ['-xerror', '-threads', '1', ...seek, ...inputArguments(file), ...output];
    this.#child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.on('error', (error) => this.#errors.push(error.message));
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      if (this.#errors.length < 20) this.#errors.push(...text.trim().split('\n').map(tidy));
    });
    this.#output = (this.#child.stdout as Readable)[Symbol.asyncIterator]();
    this.#hold(false);
  }

  async frame(number: number): Promise<Uint8Array> {
    this.#hold(true);
    try {
      while (this.next < number) await this.#take();
      return await this.#take();
    } finally {
      this.#hold(false);
    }
  }

  /** A decoder that waits must not keep the process from ending. */
  #hold(held: boolean): void {
    for (const handle of [this.#child, this.#child.stdout, this.#child.stderr]) {
      (handle as { ref(): void; unref(): void } | null)?.[held ? 'ref' : 'unref']();
    }
  }

  async #take(): Promise<Uint8Array> {
    const frame = new Uint8Array(this.#bytes);
    let filled = 0;
    while (filled < frame.length) {
      if (this.#rest.length === 0) {
        const { value, done } = await this.#output.next();
        if (done) throw new VideoError(`${this.file}: frame ${this.next} cannot be decoded: ${reason(this.#errors)}`);
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, frame.length - filled);
      frame.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    this.next++;
    return frame;
  }

  end(): void {
    this.#child.kill('SIGKILL');
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }
}
