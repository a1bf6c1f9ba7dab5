/** What stands in for a picture that cannot be read. */
import type { PackedPixels } from './sample.ts';

/** Pictures of more pixels are not worth keeping in a queue. */
const LARGEST = 10_000_000;

/** A gray picture, all values 128. */
export function grayPicture(width: number, height: number): PackedPixels {
  return { pixels: new Uint8Array(width * height * 3).fill(128), width, height, channels: 3 };
}

/**
 * Pictures read before, one thread's own, to stand in for bad ones (VISSL's QueueDataset). Each is given out once, so a
 * batch never holds the same one twice. Two bounded queues: one fills while the other is drawn from.
 */
export class PictureQueue {
  readonly #capacity: number;
  #filling: PackedPixels[] = [];
  #drawing: PackedPixels[] = [];

  /** `capacity` pictures a queue; VISSL takes the batch size */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  keep(picture: PackedPixels): void {
    if (picture.width * picture.height > LARGEST) return;
    if (this.#filling.length < this.#capacity) {
      // decoders may hand out slices of a pool: keep a copy of the pixels alone
      this.#filling.push({ ...picture, pixels: picture.pixels.slice() });
    }
    if (this.#filling.length < this.#capacity) return;
    const room = this.#capacity - this.#drawing.length;
    this.#drawing.push(...this.#filling.splice(0, room));
  }

  /** A picture that was not given out before, if there is one. */
  take(): PackedPixels | undefined {
    return this.#drawing.shift();
  }
}
