/** Features of a whole dataset, one row per sample, in the order of the dataset. */
export interface FeatureBank {
  readonly rows: number;
  readonly width: number;
  /** [rows, width] */
  readonly features: Float32Array;
  /** class index per row, or labelWidth numbers per row; absent when the samples have none */
  readonly labels?: Int32Array;
  /** multi-label: classes, each 1, 0 or -1 (not known); absent for class indices */
  readonly labelWidth?: number;
  /** position in the dataset per row, ascending */
  readonly indices: Int32Array;
}

export interface BankChunk {
  readonly features: Float32Array;
  readonly labels?: Int32Array;
  readonly indices: Int32Array;
}

/** Chunks in any order as one bank: sorted by index, the first row of an index wins. Empties the list as it goes. */
export function joinChunks(chunks: (BankChunk | undefined)[], width: number, labelWidth?: number): FeatureBank {
  const labelSize = labelWidth ?? 1;
  const count = chunks.reduce((sum, chunk) => sum + chunk!.indices.length, 0);
  const order: { index: number; chunk: number; row: number }[] = [];
  const seen = new Set<number>();
  chunks.forEach((chunk, c) => {
    chunk!.indices.forEach((index, row) => {
      if (seen.has(index)) return;
      seen.add(index);
      order.push({ index, chunk: c, row });
    });
  });
  const target = new Map<number, Int32Array>(
    chunks.map((chunk, c) => [c, new Int32Array(chunk!.indices.length).fill(-1)]),
  );
  order.sort((a, b) => a.index - b.index);
  order.forEach(({ chunk, row }, at) => {
    target.get(chunk)![row] = at;
  });
  const rows = order.length;
  const labelled = count > 0 && chunks.every((chunk) => chunk!.labels !== undefined);
  const features = new Float32Array(rows * width);
  const labels = labelled ? new Int32Array(rows * labelSize) : undefined;
  const indices = Int32Array.from(order, ({ index }) => index);
  for (const [c, places] of target) {
    const chunk = chunks[c]!;
    places.forEach((at, row) => {
      if (at < 0) return;
      features.set(chunk.features.subarray(row * width, (row + 1) * width), at * width);
      labels?.set(chunk.labels!.subarray(row * labelSize, (row + 1) * labelSize), at * labelSize);
    });
    chunks[c] = undefined;
  }
  const kind = labelWidth === undefined ? {} : { labelWidth };
  return { rows, width, features, ...(labels ? { labels, ...kind } : {}), indices };
}
