/** `pipe embeddings`: check a file of embeddings, say what is in it, and draw it in two dimensions. */
import { basename } from 'node:path';
import { scatterPlot } from '../../figures/scatter.ts';
import { checkEmbeddings } from '../../lightly/check-embeddings.ts';
import { headerWarnings } from '../../lightly/embeddings-header.ts';
import { fitPca } from '../../lightly/fit-pca.ts';
import { type EmbeddingTable, loadEmbeddings } from '../../lightly/load-embeddings.ts';
import { stdOfL2Normalized } from '../../lightly/std-of-l2-normalized.ts';
import { writeAside } from '../../lightly/write-aside.ts';
import { plural } from '../output.ts';
import { mustExist, refusal } from '../request.ts';

interface EmbeddingsOptions {
  readonly plot?: string;
  readonly fraction?: string;
  readonly removeAdditional?: boolean;
  readonly json?: boolean;
}

/** rows that principal components are fitted to unless told otherwise: enough for a figure, soon done */
const ROWS_TO_FIT = 10_000;
const CLASSES = 12;

export async function embeddings(file: string, options: EmbeddingsOptions): Promise<void> {
  mustExist(file, 'file');
  const fraction = options.fraction === undefined ? undefined : Number(options.fraction);
  if (fraction !== undefined && !(fraction > 0 && fraction <= 1)) {
    throw refusal(`--fraction is "${options.fraction}"`, 'Give a number above 0 and not above 1');
  }
  if (options.plot !== undefined && !options.plot.endsWith('.svg')) {
    throw refusal(`the plot is written as SVG, not as ${basename(options.plot)}`, 'Name a file that ends in .svg');
  }
  if (options.removeAdditional) await checkEmbeddings(file, { removeAdditionalColumns: true });
  const table = await loadEmbeddings(file);
  const report = describe(file, table);
  if (options.plot) await plot(file, table, options.plot, fraction);
  const { json } = options;
  process.stdout.write(json ? `${JSON.stringify({ ...report, plot: options.plot }, null, 2)}\n` : text(report));
  if (options.plot && !json) process.stderr.write(`${options.plot}\n`);
}

interface Report {
  readonly file: string;
  readonly rows: number;
  readonly dimensions: number;
  readonly labels: readonly { readonly label: number; readonly rows: number }[];
  /** file names that stand in more than one row */
  readonly repeatedNames: number;
  /** numbers that are NaN or infinite */
  readonly notFinite: number;
  /** mean standard deviation of rows of length 1: near 1/√dimensions when spread, 0 when collapsed; null unless two rows are finite */
  readonly spread: number | null;
  readonly warnings: readonly string[];
}

function describe(file: string, { embeddings, labels, filenames, header }: EmbeddingTable): Report {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const { data, rows, columns } = embeddings;
  const notFinite = data.reduce((sum, x) => sum + (Number.isFinite(x) ? 0 : 1), 0);
  const spread = rows > 1 && notFinite === 0 && columns > 0 ? stdOfL2Normalized(data, [rows, columns]) : null;
  return {
    file,
    rows,
    dimensions: columns,
    labels: [...counts].sort(([a], [b]) => a - b).map(([label, n]) => ({ label, rows: n })),
    repeatedNames: rows - new Set(filenames).size,
    notFinite,
    spread,
    warnings: headerWarnings(header),
  };
}

function text({ file, rows, dimensions, labels, repeatedNames, notFinite, spread, warnings }: Report): string {
  const lines = [`${file}: ${plural(rows, 'embedding')} of ${plural(dimensions, 'dimension')}`];
  const shown = labels.slice(0, CLASSES).map(({ label, rows: n }) => `${label} (${n})`);
  const more = labels.length > CLASSES ? `, and ${labels.length - CLASSES} more` : '';
  if (labels.length > 0) lines.push(`  labels   ${shown.join(', ')}${more}`);
  if (spread !== null) {
    const ideal = 1 / Math.sqrt(dimensions);
    const verdict = spread < ideal / 10 ? ': the embeddings have collapsed' : '';
    lines.push(`  spread   ${spread.toFixed(4)} (0: collapsed; ${ideal.toFixed(4)}: even)${verdict}`);
  }
  if (notFinite > 0) lines.push(`  warning  ${plural(notFinite, 'value')} that are not finite`);
  if (repeatedNames > 0) lines.push(`  warning  ${plural(repeatedNames, 'row')} repeat a file name`);
  for (const warning of warnings) lines.push(`  warning  ${warning}`);
  return `${lines.join('\n')}\n`;
}

async function plot(file: string, table: EmbeddingTable, target: string, fraction: number | undefined): Promise<void> {
  const { embeddings, labels } = table;
  const { rows, columns, data } = embeddings;
  if (rows < 2 || columns < 1) throw refusal(`${file} has too few numbers for a plot`);
  if (!data.every(Number.isFinite)) throw refusal(`${file} has values that are not finite`, 'Remove these rows');
  const share = fraction ?? Math.min(1, ROWS_TO_FIT / rows);
  const pca = fitPca(embeddings, share < 1 ? { fraction: share } : {});
  const placed = pca.transform(embeddings);
  const explained = pca.eigenvalues.map((value) => Math.max(0, value));
  const total = explained.reduce((sum, value) => sum + value, 0) || 1;
  const name = (i: number) =>
    `component ${i + 1} (${((100 * (explained[i] ?? 0)) / total).toFixed(1)} % of the variance)`;
  // one column has one component: the points lie on a line
  const points =
    placed.columns === 2
      ? placed.data
      : Float32Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? 0 : placed.data[i / 2]));
  const svg = await scatterPlot({ title: basename(file), xName: name(0), yName: name(1), points, labels });
  await writeAside(target, [svg]);
}
