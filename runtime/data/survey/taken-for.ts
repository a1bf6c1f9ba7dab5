import type { Survey } from './survey.ts';

/** The dataset that a folder is, and the node that reads it. */
export interface TakenFor {
  readonly kind: 'splits' | 'idx' | 'videos' | 'class folders' | 'flat' | 'nothing';
  /** one sentence for people */
  readonly text: string;
  /** a node for a pipeline; of splits the one for training */
  readonly node?: Readonly<Record<string, string>>;
  /** splits: their sub-folders, the one for training first */
  readonly parts?: readonly string[];
}

const TRAINING = ['train'];
const TESTING = ['val', 'test', 'validation'];

/**
 * As pipelines read it: IDX files first, then videos (as lightly does), then a folder for each split, then a folder for
 * each class, then images alone.
 */
export function takenFor(folder: string, survey: Survey): TakenFor {
  const { classes, images, videos, loose, idx } = survey;
  const names = [...classes.keys()];
  if (idx.some((path) => !path.includes('/'))) {
    return { kind: 'idx', text: 'IDX files (MNIST and its relatives)', node: { type: 'dataset/idx', path: folder } };
  }
  if (videos > 0) {
    const text = 'videos: each frame is a sample, and its label says which video';
    return { kind: 'videos', text, node: { type: 'dataset/video_folder', path: folder } };
  }
  const training = names.find((name) => TRAINING.includes(name));
  const testing = names.filter((name) => TESTING.includes(name));
  if (training !== undefined && (testing.length > 0 || names.length === 1)) {
    const parts = [training, ...testing];
    const node = { type: 'dataset/disk_folder', path: `${folder}/${training}` };
    return { kind: 'splits', text: `splits: ${parts.join(', ')}`, node, parts };
  }
  if (images === 0) return { kind: 'nothing', text: 'no images, videos or IDX files' };
  const node = { type: 'dataset/disk_folder', path: folder };
  if (images > loose) return { kind: 'class folders', text: 'a folder for each class; the label is its place', node };
  return { kind: 'flat', text: 'images without classes; every label is 0', node };
}
