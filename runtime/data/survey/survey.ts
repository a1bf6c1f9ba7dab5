import { createRandom } from '../../random.ts';
import { isVideo } from '../../video/input.ts';
import { byCodePoint } from '../string-table.ts';
import { isImage } from '../walk.ts';
import type { BadImage } from './headers.ts';
import { visit } from './visit.ts';

export interface Survey {
  readonly images: number;
  /** images in no sub-folder */
  readonly loose: number;
  /** images of each sub-folder, sub-folders of it included, by name */
  readonly classes: ReadonlyMap<string, number>;
  readonly videos: number;
  /** IDX files (MNIST and its relatives), relative to the folder */
  readonly idx: readonly string[];
  /** files that are neither, by suffix, in small letters */
  readonly others: ReadonlyMap<string, number>;
  /** folders that cannot be read */
  readonly faults: readonly BadImage[];
  /** images at random, at most as many as asked for */
  readonly sample: readonly string[];
}

const IDX = /idx[13]-ubyte(\.gz)?$/;
/** what lightly's tools write beside the images */
const LIGHTLY_OUTPUT = 'lightly_outputs';

export interface SurveyOptions {
  /** images to pick at random */
  readonly sample: number;
  readonly signal: AbortSignal;
  readonly onFile?: (files: number) => void;
}

/** Counts what lies in and below a folder in one pass. Throws the signal's reason. */
export async function surveyFolder(folder: string, { sample, signal, onFile }: SurveyOptions): Promise<Survey> {
  const random = createRandom(0, 'survey');
  const classes = new Map<string, number>();
  const others = new Map<string, number>();
  const idx: string[] = [];
  const faults: BadImage[] = [];
  const picked: string[] = [];
  let [images, loose, videos, files] = [0, 0, 0, 0];
  const addImage = (path: string, top: string | undefined): void => {
    images++;
    if (top === undefined) loose++;
    else classes.set(top, (classes.get(top) ?? 0) + 1);
    // each image has the same chance to stay (Vitter 1985, algorithm R)
    if (picked.length < sample) picked.push(path);
    else {
      const place = random.integer(images);
      if (place < sample) picked[place] = path;
    }
  };
  await visit(
    folder,
    {
      onFile: ({ path, top }) => {
        onFile?.(++files);
        if (top === LIGHTLY_OUTPUT) return;
        if (isImage(path)) addImage(path, top);
        else if (isVideo(path)) videos++;
        else if (IDX.test(path)) idx.push(path);
        else {
          const suffix = /\.[^./]+$/.exec(path)?.[0].toLowerCase() ?? 'no suffix';
          others.set(suffix, (others.get(suffix) ?? 0) + 1);
        }
      },
      onFolder: (name) => {
        if (name !== LIGHTLY_OUTPUT) classes.set(name, 0);
      },
      onFault: (path, reason) => faults.push({ path, reason }),
    },
    signal,
  );
  const sorted = new Map([...classes].sort(([a], [b]) => byCodePoint(a, b)));
  return { images, loose, classes: sorted, videos, idx: idx.sort(byCodePoint), others, faults, sample: picked };
}
