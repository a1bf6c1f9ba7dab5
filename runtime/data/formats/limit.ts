/** A picture is larger than it may be; its size was read from the header, and nothing was decoded. */
export class TooManyPixels extends Error {
  override readonly name = 'TooManyPixels';
  readonly width: number;
  readonly height: number;

  constructor(width: number, height: number) {
    super('exceeds pixel limit');
    this.width = width;
    this.height = height;
  }
}

/** Throws an Error on sizes that no picture has, and on more pixels than the limit. */
export function checkPixels(width: number, height: number, limit: number): void {
  if (!(width >= 1 && height >= 1)) throw new Error(`it says that it has ${width}×${height} pixels`);
  if (width * height > limit) throw new TooManyPixels(width, height);
}
