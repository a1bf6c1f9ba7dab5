import assert from 'node:assert/strict';
import { Arena, type Mark } from '../../../runtime/data/pixels/arena.ts';
import { createPixelMemory } from '../../../runtime/data/pixels/memory.ts';
import { type Pixels, pixelsOn } from '../../../runtime/data/pixels/pixels.ts';

const GUARD = 64;
const VALUE = 0xa5;
const DIRT = 0x5a;

/** An arena that lays guard bytes tightly around every allocation and looks at them before the memory is reused. */
export class GuardedArena extends Arena {
  #allocations: { ptr: number; bytes: number }[] = [];
  /** guards seen intact so far */
  checked = 0;

  override alloc(bytes: number): number {
    const ptr = super.alloc(bytes + 2 * GUARD) + GUARD;
    this.bytes.fill(VALUE, ptr - GUARD, ptr);
    this.bytes.fill(DIRT, ptr, ptr + bytes);
    this.bytes.fill(VALUE, ptr + bytes, ptr + bytes + GUARD);
    this.#allocations.push({ ptr, bytes });
    return ptr;
  }

  override mark(): Mark {
    return { ...super.mark(), count: this.#allocations.length } as Mark;
  }

  override release(mark: Mark): void {
    this.check();
    super.release(mark);
    this.#allocations.length = (mark as Mark & { count: number }).count;
  }

  override reset(): void {
    this.check();
    super.reset();
    this.#allocations.length = 0;
  }

  check(): void {
    for (const { ptr, bytes } of this.#allocations) {
      for (let i = 1; i <= GUARD; i++) {
        assert.equal(this.bytes[ptr - i], VALUE, `byte ${-i} of an allocation of ${bytes} bytes was written`);
        assert.equal(this.bytes[ptr + bytes + i - 1], VALUE, `byte ${bytes + i - 1} of ${bytes} bytes was written`);
      }
      this.checked++;
    }
  }
}

export function guardedPixels(bytes = 1 << 20): Pixels & { arena: GuardedArena } {
  const arena = new GuardedArena(createPixelMemory({ bytes }), { offset: 0, bytes });
  return { ...pixelsOn(arena), arena };
}
