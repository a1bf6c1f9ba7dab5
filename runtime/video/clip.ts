import type { FrameReader, VideoFile } from './frame-reader.ts';

export interface Clip {
  /** packed RGB, frame after frame: [frames, height, width, 3] */
  readonly pixels: Uint8Array;
  readonly frames: number;
  readonly width: number;
  readonly height: number;
}

/** `frames` frames from `start` on, every `stride`-th (default 1). Throws a RangeError when they reach beyond the end. */
export async function readClip(
  reader: FrameReader,
  video: VideoFile,
  { start, frames, stride = 1 }: { readonly start: number; readonly frames: number; readonly stride?: number },
): Promise<Clip> {
  const { width, height } = video;
  const size = width * height * 3;
  const last = start + (frames - 1) * stride;
  if (frames < 1 || stride < 1 || start < 0 || last >= video.times.length) {
    throw new RangeError(
      `${video.file} has frames 0 to ${video.times.length - 1}; a clip of ${frames} from ${start}, every ${stride}, is not in it`,
    );
  }
  const pixels = new Uint8Array(frames * size);
  for (let i = 0; i < frames; i++) pixels.set(await reader.read(video, start + i * stride), i * size);
  return { pixels, frames, width, height };
}
