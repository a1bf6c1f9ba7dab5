/** The program that reads videos. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { VideoError } from './video-error.ts';

export interface Ffmpeg {
  readonly path: string;
  /** as it names itself */
  readonly version: string;
  /** arguments that hand on every frame once, whatever its time */
  readonly everyFrame: readonly string[];
}

/** ffmpeg of the system, of the package ffmpeg-static, of the package @ffmpeg-installer/ffmpeg: in this order. */
export function ffmpegCandidates(): string[] {
  const require = createRequire(import.meta.url);
  const fromPackage = (name: string, pathOf: (exported: any) => unknown): string[] => {
    try {
      const path = pathOf(require(name));
      return typeof path === 'string' ? [path] : [];
    } catch {
      return []; // not installed, or not for this platform
    }
  };
  return [
    'ffmpeg',
    ...fromPackage('ffmpeg-static', (path) => path),
    ...fromPackage('@ffmpeg-installer/ffmpeg', ({ path }) => path),
  ];
}

/** The first one that starts. Throws a VideoError when none does. */
export async function findFfmpeg(candidates: readonly string[] = ffmpegCandidates()): Promise<Ffmpeg> {
  for (const path of candidates) {
    const said = await promisify(execFile)(path, ['-version']).catch(() => undefined);
    const version = said && /^ffmpeg version (\S+).*?(?:(\d{4}) the FFmpeg)?/m.exec(said.stdout);
    if (!version) continue;
    const year = Number(/-(\d{4}) the FFmpeg/.exec(said.stdout)?.[1] ?? 0);
    return {
      path,
      version: version[1],
      everyFrame: [isRecent(version[1], year) ? '-fps_mode' : '-vsync', 'passthrough'],
    };
  }
  const cure =
    'Install ffmpeg (apt-get install ffmpeg, brew install ffmpeg), or the package ffmpeg-static beside this one';
  throw new VideoError(`no ffmpeg was found, which reads videos. ${cure}.`);
}

/** -fps_mode came with 5.1, and -vsync is to go; builds from the repository tell their year only. */
function isRecent(version: string, year: number): boolean {
  const [, major, minor] = /^n?(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined) return year >= 2023;
  return Number(major) > 5 || (Number(major) === 5 && Number(minor) >= 1);
}
