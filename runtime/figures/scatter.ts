import { type Axis, createAxis } from './axis.ts';
import { classColor, cssColor } from './colors.ts';
import { escapeMarkup } from './markup.ts';
import { dataUrl } from './picture.ts';
import { drawPoints } from './points.ts';

export interface Scatter {
  readonly title: string;
  readonly xName: string;
  readonly yName: string;
  /** x and y of each point in turn; points with a number that is not finite are left out */
  readonly points: ArrayLike<number>;
  /** class of each point; one colour for all without it */
  readonly labels?: ArrayLike<number>;
  /** name of a class in the legend; default its number */
  readonly nameOf?: (label: number) => string;
}

const SIZE = { width: 960, height: 680 };
const PLOT = { left: 72, top: 48, right: 760, bottom: 620 };
/** names that fit beside the plot */
const LEGEND = 24;
/** more points than this become pixels: an SVG of a million circles opens in no browser */
const MOST_CIRCLES = 20_000;

/** A scatter plot as SVG with axes and legend; nothing is fetched. Of any number of points. */
export async function scatterPlot(scatter: Scatter): Promise<string> {
  const { points, labels } = scatter;
  const count = Math.floor(points.length / 2);
  const along = (offset: number) => Float64Array.from({ length: count }, (_, i) => points[2 * i + offset]);
  const x = createAxis(along(0), PLOT.left, PLOT.right);
  const y = createAxis(along(1), PLOT.bottom, PLOT.top);
  const classes = labels ? [...new Set(Array.from({ length: count }, (_, i) => labels[i]))].sort((a, b) => a - b) : [];
  const place = new Map(classes.map((label, i) => [label, i]));
  const classOf = (i: number) => (labels ? (place.get(labels[i]) ?? 0) : 0);
  const placed: number[][] = Array.from({ length: Math.max(1, classes.length) }, () => []);
  let shown = 0;
  for (let i = 0; i < count; i++) {
    const [px, py] = [x.position(points[2 * i]), y.position(points[2 * i + 1])];
    if (!Number.isFinite(px) || !Number.isFinite(py)) continue;
    placed[classOf(i)].push(px, py);
    shown++;
  }
  const radius = shown > 2000 ? 1.6 : shown > 200 ? 2.4 : 3.5;
  const marks = shown > MOST_CIRCLES ? await asPixels(placed) : placed.map((group, i) => asPath(group, i, radius));
  const missing = shown < count ? `, ${count - shown} not finite` : '';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" width="${SIZE.width}" height="${SIZE.height}" font-family="system-ui, sans-serif" font-size="12" fill="#222">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${PLOT.left}" y="28" font-size="16">${escapeMarkup(scatter.title)}</text>
${axes(x, y, scatter)}
${marks.join('\n')}
${legend(classes, scatter.nameOf ?? String)}
<text x="${PLOT.right}" y="${SIZE.height - 12}" text-anchor="end" fill="#666">${shown.toLocaleString('en')} points${missing}</text>
</svg>
`;
}

function axes(x: Axis, y: Axis, { xName, yName }: Scatter): string {
  const { left, top, right, bottom } = PLOT;
  const lines = [
    ...x.ticks.map(({ at }) => `M${at.toFixed(1)},${top}V${bottom}`),
    ...y.ticks.map(({ at }) => `M${left},${at.toFixed(1)}H${right}`),
  ];
  const texts = [
    ...x.ticks.map(
      ({ at, text }) => `<text x="${at.toFixed(1)}" y="${bottom + 18}" text-anchor="middle">${text}</text>`,
    ),
    ...y.ticks.map(
      ({ at, text }) => `<text x="${left - 8}" y="${(at + 4).toFixed(1)}" text-anchor="end">${text}</text>`,
    ),
    `<text x="${(left + right) / 2}" y="${bottom + 40}" text-anchor="middle">${escapeMarkup(xName)}</text>`,
    `<text transform="translate(18,${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeMarkup(yName)}</text>`,
  ];
  return `<path d="${lines.join('')}" stroke="#e4e4e4" fill="none"/>
<path d="M${left},${top}V${bottom}H${right}" stroke="#888" fill="none"/>
${texts.join('\n')}`;
}

/** Points as lines of no length with round ends: the shortest text that draws dots. */
function asPath(positions: readonly number[], label: number, radius: number): string {
  let d = '';
  for (let i = 0; i < positions.length; i += 2) d += `M${positions[i].toFixed(1)},${positions[i + 1].toFixed(1)}h0`;
  return `<path d="${d}" stroke="${cssColor(classColor(label))}" stroke-width="${2 * radius}" stroke-linecap="round" stroke-opacity="0.7"/>`;
}

async function asPixels(groups: readonly (readonly number[])[]): Promise<string[]> {
  const { left, top, right, bottom } = PLOT;
  const picture = drawPoints(groups, { left, top, width: right - left, height: bottom - top });
  const size = `x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"`;
  return [`<image ${size} href="${await dataUrl(picture)}"/>`];
}

function legend(classes: readonly number[], nameOf: (label: number) => string): string {
  const rows = classes.slice(0, LEGEND).map((label, i) => {
    const y = PLOT.top + 12 + i * 22;
    const name = nameOf(label);
    const short = name.length > 24 ? `${name.slice(0, 23)}…` : name;
    return `<circle cx="${PLOT.right + 24}" cy="${y - 4}" r="5" fill="${cssColor(classColor(i))}"/><text x="${PLOT.right + 36}" y="${y}">${escapeMarkup(short)}</text>`;
  });
  const more = classes.length - rows.length;
  if (more > 0) rows.push(`<text x="${PLOT.right + 18}" y="${PLOT.top + 12 + LEGEND * 22}">and ${more} more</text>`);
  return rows.join('\n');
}
