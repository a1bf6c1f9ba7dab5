/** A part of an image; corners as shares of its width and height, in [0, 1] (lightly.active_learning.utils). */
export interface BoundingBox {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

const clamp = (x: number): number => Math.min(1, Math.max(0, x));

/** The box between two corners; what lies outside the image is cut off. Throws a RangeError when nothing is left. */
export function boundingBox(x0: number, y0: number, x1: number, y1: number): BoundingBox {
  const box = { x0: clamp(x0), y0: clamp(y0), x1: clamp(x1), y1: clamp(y1) };
  const given = `bounding box [${[x0, y0, x1, y1].join(', ')}]`;
  if (!(x0 < x1)) throw new RangeError(`${given}: x0 must be smaller than x1`);
  if (!(y0 < y1)) throw new RangeError(`${given}: y0 must be smaller than y1`);
  if (box.x0 >= box.x1 || box.y0 >= box.y1) throw new RangeError(`${given} lies outside the image, [0, 0, 1, 1]`);
  return box;
}

/** From a corner and a size. */
export const boxFromCorner = (x: number, y: number, width: number, height: number): BoundingBox =>
  boundingBox(x, y, x + width, y + height);

/** From a centre and a size, as YOLO writes boxes. */
export const boxFromCenter = (x: number, y: number, width: number, height: number): BoundingBox =>
  boundingBox(x - width / 2, y - height / 2, x + width / 2, y + height / 2);

export const boxWidth = ({ x0, x1 }: BoundingBox): number => x1 - x0;
export const boxHeight = ({ y0, y1 }: BoundingBox): number => y1 - y0;
export const boxArea = (box: BoundingBox): number => boxWidth(box) * boxHeight(box);
