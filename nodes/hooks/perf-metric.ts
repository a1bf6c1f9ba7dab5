const SMOOTHING = 0.1;

/** Times of one part, in ms. */
export class PerfMetric {
  last = 0;
  /** exponentially weighted: a tenth of each new one */
  smoothed = 0;
  sum = 0;
  count = 0;

  record(ms: number): void {
    this.last = ms;
    this.smoothed = this.count === 0 ? ms : (1 - SMOOTHING) * this.smoothed + SMOOTHING * ms;
    this.sum += ms;
    this.count++;
  }

  get mean(): number {
    return this.count === 0 ? 0 : this.sum / this.count;
  }
}

/** Columns Timer, Host (mean), Recent (smoothed), Count. */
export function perfTable(metrics: Iterable<readonly [string, PerfMetric]>): string {
  const rows = [...metrics].map(([name, { mean, smoothed, count }]) => [
    name,
    `${mean.toFixed(2)} ms`,
    `${smoothed.toFixed(2)} ms`,
    String(count),
  ]);
  const all = [['Timer', 'Host', 'Recent', 'Count'], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  return all
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '))
    .join('\n');
}
