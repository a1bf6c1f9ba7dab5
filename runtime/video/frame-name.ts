import { posix } from 'node:path';

/**
 * lightly's file name of a frame: the video's path without its suffix, the frame's number with as many digits as the
 * number of frames has, the suffix. `talks/a.mp4`, frame 7 of 250: `talks/a-007-mp4.png`.
 */
export function frameName(video: string, frame: number, frames: number): string {
  const { stem, suffix } = frameParts(video);
  return `${stem}-${String(frame).padStart(String(frames).length, '0')}-${suffix}.png`;
}

export function frameParts(video: string): { stem: string; suffix: string } {
  const extension = posix.extname(video);
  return { stem: video.slice(0, video.length - extension.length), suffix: extension.slice(1) };
}
