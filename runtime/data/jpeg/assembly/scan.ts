import { END_OF_BLOCK, extend, FAST_BITS, symbol } from './huffman';
import { idct, idctFlat } from './idct';

/** Where the k-th coefficient of the file lies in its block, in bytes. */
const ZIGZAG = memory.data<u8>([
  0, 2, 16, 32, 18, 4, 6, 20, 34, 48, 64, 50, 36, 22, 8, 10,
  24, 38, 52, 66, 80, 96, 82, 68, 54, 40, 26, 12, 14, 28, 42, 56,
  70, 84, 98, 112, 114, 100, 86, 72, 58, 44, 30, 46, 60, 74, 88, 102,
  116, 118, 104, 90, 76, 62, 78, 92, 106, 120, 122, 108, 94, 110, 124, 126]);

/** One component of the frame, as decoder.ts writes it. */
@unmanaged
class Component {
  across: i32;
  down: i32;
  dc: usize;
  ac: usize;
  quantizers: usize;
  plane: usize;
  stride: usize;
  predicted: i32;
}
const COMPONENT: usize = 32;

/** The next four bytes, the first one highest. */
@inline
function word(p: usize): u64 {
  return <u64>bswap<u32>(load<u32>(p));
}

/**
 * Decodes `count` units (MCUs) from number `first` into the planes: entropy-coded bytes `data`…`end`, without stuffing;
 * up to 1,024 bytes after `end` are readable. Returns false when the bytes are not what an encoder writes.
 */
export function decodeScan(data: usize, end: usize, first: i32, count: i32, perRow: i32, components: usize, n: i32, block: usize): bool {
  let bits: u64 = 0, have = 0, p = data;
  for (let c = 0; c < n; c++) changetype<Component>(components + <usize>c * COMPONENT).predicted = 0;
  for (let unit = first; unit < first + count; unit++) {
    const row = unit / perRow, column = unit % perRow;
    for (let c = 0; c < n; c++) {
      const component = changetype<Component>(components + <usize>c * COMPONENT);
      const across = component.across, down = component.down, dc = component.dc, ac = component.ac;
      const quantizers = component.quantizers, stride = component.stride;
      for (let b = 0; b < across * down; b++) {
        if (have <= 32) { bits |= word(p) << (32 - have); have += 32; p += 4; }
        let entry = load<i32>(dc + (<usize>(bits >> (64 - FAST_BITS)) << 2)), taken = entry & 255, difference = entry >> 16;
        if (entry == 0) {
          const found = symbol(dc, <i32>(bits >> 48)), length = found & 255, size = found >> 8;
          if (found < 0 || size > 15) return false;
          taken = length + size;
          difference = size == 0 ? 0 : extend(<i32>((bits << length) >> (64 - size)), size);
        }
        bits <<= taken; have -= taken;
        component.predicted += difference;

        v128.store(block, i32x4.splat(0)); v128.store(block, i32x4.splat(0), 16);
        v128.store(block, i32x4.splat(0), 32); v128.store(block, i32x4.splat(0), 48);
        v128.store(block, i32x4.splat(0), 64); v128.store(block, i32x4.splat(0), 80);
        v128.store(block, i32x4.splat(0), 96); v128.store(block, i32x4.splat(0), 112);
        store<i16>(block, <i16>(component.predicted * load<u16>(quantizers)));
        let k = 1, flat = true;
        while (k < 64) {
          if (have <= 32) { bits |= word(p) << (32 - have); have += 32; p += 4; }
          let value: i32;
          entry = load<i32>(ac + (<usize>(bits >> (64 - FAST_BITS)) << 2));
          if (entry != 0) {
            taken = entry & 255;
            bits <<= taken; have -= taken;
            k += (entry >> 8) & 255;
            value = entry >> 16;
            if (k > 63) break;
          } else {
            const found = symbol(ac, <i32>(bits >> 48)), length = found & 255, size = (found >> 8) & 15, run = found >> 12;
            if (found < 0) return false;
            taken = length + size;
            if (size == 0) {
              if (run != 0 && run != 15) return false;
              bits <<= taken; have -= taken;
              k += run == 0 ? END_OF_BLOCK : 16;
              continue;
            }
            value = extend(<i32>((bits << length) >> (64 - size)), size);
            bits <<= taken; have -= taken;
            k += run;
            if (k > 63) return false;
          }
          store<i16>(block + load<u8>(ZIGZAG + k), <i16>(value * load<u16>(quantizers + (<usize>k << 1))));
          flat = false;
          k++;
        }
        if (k > 64 && k < END_OF_BLOCK || p - <usize>(have >> 3) > end) return false;

        const x = column * across + b % across, y = row * down + b / across;
        const target = component.plane + <usize>y * 8 * stride + (<usize>x << 3);
        if (flat) idctFlat(load<i16>(block), target, stride);
        else idct(block, target, stride);
      }
    }
  }
  return true;
}
