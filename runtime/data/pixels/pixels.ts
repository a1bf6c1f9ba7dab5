import { instantiateKernels } from '../kernels/kernels.ts';
import { Arena, type Region } from './arena.ts';
import { geometry } from './geometry.ts';
import { photometric } from './photometric.ts';
import { resizing } from './resize.ts';
import { storage } from './storage.ts';
import { tensors } from './tensors.ts';

/**
 * Image operations of one thread on a shared memory. Views are valid until `arena.reset()`, which a worker calls once
 * per sample. Geometry returns new views and leaves its input alone; colour operations work in place.
 */
export type Pixels = ReturnType<typeof pixelsOn>;

/** Operations whose views and scratch lie in `arena`. */
export function pixelsOn(arena: Arena) {
  const kernels = instantiateKernels(arena.memory);
  return {
    arena,
    ...storage(kernels, arena),
    ...resizing(kernels, arena),
    ...geometry(kernels, arena),
    ...photometric(kernels, arena),
    ...tensors(kernels, arena),
  };
}

/**
 * Image operations that use `region` of a shared memory, and pages that they add to it when a picture needs more.
 * Give each thread its own region. Throws a TypeError when the memory is not shared, a RangeError on a bad region.
 *
 * @example
 * const memory = createPixelMemory({ bytes: 64 << 20 });
 * const pixels = createPixels(memory, { offset: 0, bytes: 64 << 20 });
 * const view = pixels.resize(pixels.put(decoded), 224, 224, { box, flip: true });
 * pixels.gaussianBlur(view, 1.2);
 * pixels.toTensor(view, { normalize: IMAGENET, to: slabOffset });
 * pixels.arena.reset();
 */
export function createPixels(memory: WebAssembly.Memory, region: Region): Pixels {
  return pixelsOn(new Arena(memory, region));
}
