/**
 * One table of 256 bytes per channel that stretches [least, greatest] to [0, 255], in double precision, truncated.
 * @param extrema least and greatest value of each channel, in turn
 */
export function autocontrastTables(extrema: Uint8Array): Uint8Array {
  const tables = new Uint8Array((extrema.length / 2) * 256);
  for (let c = 0; c < extrema.length / 2; c++) {
    const low = extrema[2 * c];
    const high = extrema[2 * c + 1];
    const flat = high <= low;
    const scale = flat ? 1 : 255 / (high - low);
    const offset = flat ? 0 : -low * scale;
    for (let v = 0; v < 256; v++) {
      tables[c * 256 + v] = Math.min(255, Math.max(0, Math.trunc(v * scale + offset)));
    }
  }
  return tables;
}
