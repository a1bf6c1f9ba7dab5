import { resolve } from 'node:path';

/** Formats of containers that are read; others, such as playlists, could make ffmpeg open further files. */
const FORMATS = [
  'mov,mp4,m4a,3gp,3g2,mj2',
  'avi',
  'matroska,webm',
  'mpeg',
  'mpegts',
  'mpegvideo',
  'hevc',
  'h264',
  'm4v',
].join(',');

/** Suffixes of video files, in small letters. */
export const VIDEO_EXTENSIONS = ['.mov', '.mp4', '.avi', '.m4v', '.mpg', '.mpeg', '.webm', '.mkv', '.hevc'] as const;

/** Whether a file's name ends as that of a video, in small or capital letters. */
export function isVideo(name: string): boolean {
  const small = name.toLowerCase();
  return VIDEO_EXTENSIONS.some((extension) => small.endsWith(extension));
}

/**
 * Arguments that open a video file and nothing else. Pixels are taken as they are stored, not turned as the camera was
 * held: as PyAV, which lightly reads with, and as images, whose EXIF orientation is not applied either.
 */
export const inputArguments = (file: string): string[] => [
  ...['-hide_banner', '-nostdin', '-v', 'error'],
  ...['-protocol_whitelist', 'file', '-format_whitelist', FORMATS],
  ...['-noautorotate', '-i', `file:${resolve(file)}`],
];
