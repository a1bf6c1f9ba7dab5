/** Rows of means and spreads, as text and as Markdown. */
import type { Result } from './runs.ts';

export interface Row {
  readonly name: string;
  readonly results: readonly Result[];
}

/** Mean and sample standard deviation (of one value: 0). */
export function spread(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}

const HEADINGS = ['approach', 'seeds', 'seconds', 'CPU s', 'untrained %', 'trained %', 'gain', 'loss first → last'];

const withSpread = (values: readonly number[], digits: number): string => {
  if (values.length === 0) return '–';
  const { mean, deviation } = spread(values);
  return `${mean.toFixed(digits)} ± ${deviation.toFixed(digits)}`;
};
const mean = (values: readonly number[], digits: number) => spread(values).mean.toFixed(digits);

/** Gains are taken seed by seed. */
function cells({ name, results }: Row): readonly string[] {
  if (results.length === 0) return [name, '0', ...HEADINGS.slice(2).map(() => '–')];
  const before = results.flatMap((result) => result.before ?? []);
  const gains = results.flatMap(({ before, after }) => (before === undefined ? [] : after - before));
  return [
    name,
    String(results.length),
    mean(
      results.map(({ seconds }) => seconds),
      0,
    ),
    mean(
      results.map(({ cpuSeconds }) => cpuSeconds),
      0,
    ),
    withSpread(before, 1),
    withSpread(
      results.map(({ after }) => after),
      1,
    ),
    gains.length === 0 ? '–' : `${mean(gains, 1).replace(/^(?=\d)/, '+')} ± ${spread(gains).deviation.toFixed(1)}`,
    `${mean(
      results.map(({ loss }) => loss[0]),
      3,
    )} → ${mean(
      results.map(({ loss }) => loss[1]),
      3,
    )}`,
  ];
}

export function textTable(rows: readonly Row[]): string {
  const lines = [HEADINGS, ...rows.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const text = (line: readonly string[]) =>
    line
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  return `${lines.map(text).join('\n')}\n`;
}

export function markdownTable(rows: readonly Row[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = line(HEADINGS.map((_, i) => (i === 0 ? '---' : '--:')));
  return `${[line(HEADINGS), rule, ...rows.map((row) => line(cells(row)))].join('\n')}\n`;
}
