/**
 * One table of 256 bytes per channel that spreads its values evenly over 0…255, as Pillow's equalize: the step is the
 * number of pixels, those of the greatest value left out, over 255; a channel of one value, or of few pixels, stays.
 * @param counts how often each byte occurs, 256 numbers per channel
 */
export function equalizeTables(counts: Uint32Array): Uint8Array {
  const tables = new Uint8Array(counts.length);
  for (let first = 0; first < counts.length; first += 256) {
    const histogram = counts.subarray(first, first + 256);
    const greatest = histogram.findLastIndex((count) => count > 0);
    const pixels = histogram.reduce((sum, count) => sum + count, 0);
    const step = Math.floor((pixels - (histogram[greatest] ?? 0)) / 255);
    let sum = Math.floor(step / 2);
    for (let value = 0; value < 256; value++) {
      tables[first + value] = step === 0 ? value : Math.min(255, Math.floor(sum / step));
      sum += histogram[value];
    }
  }
  return tables;
}
