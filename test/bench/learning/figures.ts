/** What a finished run says about learning, read from the files that it left. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Figures {
  /** accuracy in percent before the first step, where the pipeline evaluates then */
  readonly before?: number;
  readonly after: number;
  /** mean over the first and over the last epoch */
  readonly loss: readonly [first: number, last: number];
}

type Line = Readonly<Record<string, number>>;

/** kNN before and after; where there is none, the best layer's top-1 on the test images. */
export function readFigures(folder: string): Figures {
  const lines = readFileSync(join(folder, 'metrics.json'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const losses = lines.flatMap((line) => line.train_loss ?? []);
  if (losses.length === 0) throw new Error(`${folder}/metrics.json holds no train_loss`);
  const loss = [losses[0], losses[losses.length - 1]] as const;
  const knn = lines.flatMap((line) => line['knn.top1'] ?? []);
  if (knn.length > 1) return { before: knn[0], after: knn[knn.length - 1], loss };
  const tested = lines.flatMap((line) => {
    const tops = Object.keys(line).filter((key) => /^test_.*top_1/.test(key));
    return tops.length === 0 ? [] : Math.max(...tops.map((key) => line[key]));
  });
  if (tested.length === 0) throw new Error(`${folder}/metrics.json holds neither knn.top1 twice nor a test accuracy`);
  return { after: tested[tested.length - 1], loss };
}
