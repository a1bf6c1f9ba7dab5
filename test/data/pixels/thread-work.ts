import { createHash } from 'node:crypto';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { createPixels, type Pixels } from '../../../runtime/data/pixels/pixels.ts';
import { randomPicture } from './picture.ts';

/** Sends every operation over pictures that outgrow the region; 16 bytes of each result land at `slab`. */
export function hashOfWork(pixels: Pixels, slab: number): string {
  const hash = createHash('sha256');
  for (let round = 0; round < 12; round++) {
    pixels.arena.reset();
    const size = 60 + round * 25;
    const view = pixels.resize(pixels.put(randomPicture(size, 90, 3)), 128, 128, { flip: round % 2 === 1 });
    pixels.jitter(view, [
      { operation: 'hue', factor: 0.1 },
      { operation: 'contrast', factor: 1.4 },
      { operation: 'saturation', factor: 0.6 },
      { operation: 'brightness', factor: 1.2 },
    ]);
    pixels.gaussianBlur(view, 1.3);
    pixels.toTensor(pixels.crop(view, 0, 0, 1, 1), { to: slab });
    hash.update(pixels.bytes(pixels.toTensor(pixels.rotate(view, 30))));
    hash.update(pixels.bytes(pixels.at(slab, 1, 1, 3, 'float32')));
  }
  return hash.digest('hex');
}

if (!isMainThread) {
  const { memory, region, slab } = workerData;
  parentPort!.postMessage(hashOfWork(createPixels(memory, region), slab));
}
