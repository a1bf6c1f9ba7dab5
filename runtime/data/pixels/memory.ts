const PAGE = 65536;
/** what a 32-bit WebAssembly memory can address */
const LIMIT = 65536 * PAGE;

/**
 * A shared memory for pictures and batches: `bytes` at once, and up to `maximumBytes` (default 4 GiB, reserved as
 * addresses only) as arenas grow. Throws a RangeError when the bytes are more than the maximum or 4 GiB.
 */
export function createPixelMemory(options: { bytes: number; maximumBytes?: number }): WebAssembly.Memory {
  const { bytes, maximumBytes = LIMIT } = options;
  if (!(bytes >= 0 && bytes <= maximumBytes && maximumBytes <= LIMIT)) {
    throw new RangeError(
      `an image memory of ${bytes} bytes, at most ${maximumBytes}: one memory holds 4 GiB; ` +
        'use smaller batches, fewer batches ahead, or fewer workers',
    );
  }
  const initial = Math.max(1, Math.ceil(bytes / PAGE));
  return new WebAssembly.Memory({ initial, maximum: Math.max(initial, Math.floor(maximumBytes / PAGE)), shared: true });
}
