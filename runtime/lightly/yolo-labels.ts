import { readFile } from 'node:fs/promises';
import { type BoundingBox, boxFromCenter } from './bounding-box.ts';
import { parseFloating, parseWhole } from './number-parse.ts';

export interface YoloLabels {
  readonly classIds: readonly number[];
  readonly boxes: readonly BoundingBox[];
}

export interface YoloOptions {
  /** share of a box's size that is added to it, half on each side; default 0 */
  readonly padding?: number;
  /** between the numbers of a line; default a blank */
  readonly separator?: string;
}

/**
 * A YOLO label file: one box a line, class and centre and size (lightly.utils.cropping.read_yolo_label_file). Numbers
 * after these five, such as a confidence, are not used; empty lines are passed over. Throws a RangeError that names file
 * and line.
 */
export async function readYoloLabels(path: string, options: YoloOptions = {}): Promise<YoloLabels> {
  const { padding = 0, separator = ' ' } = options;
  const classIds: number[] = [];
  const boxes: BoundingBox[] = [];
  const lines = (await readFile(path, 'utf8')).split(/\r\n|\n|\r/);
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const at = `${path}:${i + 1}`;
    const cells = line.trim().split(separator);
    if (cells.length < 5) {
      const want = ['class', 'x', 'y', 'width', 'height'].join(separator);
      throw new RangeError(`${at}: ${cells.length} values in "${line}"; a line is written ${want}`);
    }
    const classId = parseWhole(cells[0]);
    if (classId === undefined) throw new RangeError(`${at}: the class "${cells[0]}" is not a whole number`);
    const [x, y, width, height] = cells.slice(1, 5).map((cell) => {
      const value = parseFloating(cell);
      if (value === undefined || Number.isNaN(value)) throw new RangeError(`${at}: "${cell}" is not a number`);
      return value;
    });
    classIds.push(classId);
    boxes.push(placed(at, x, y, width * (1 + padding), height * (1 + padding)));
  }
  return { classIds, boxes };
}

function placed(at: string, x: number, y: number, width: number, height: number): BoundingBox {
  try {
    return boxFromCenter(x, y, width, height);
  } catch (error) {
    throw new RangeError(`${at}: ${(error as Error).message}`, { cause: error });
  }
}
