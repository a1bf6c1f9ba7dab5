import { type Spread, spread } from '../../data/survey/sizes.ts';
import { plural } from '../output.ts';
import type { DataReport } from './data.ts';

/** classes and bad files that are listed by name */
const CLASSES = 12;
const BAD = 20;

const number = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 2 });
const count = (value: number, word: string): string => `${number(value)} ${word}${value === 1 ? '' : 's'}`;
const range = ({ min, median, max }: Spread, unit = ''): string =>
  min === max ? `${number(min)}${unit}` : `${number(min)} to ${number(max)}${unit}, median ${number(median)}${unit}`;

/** The report of `pipe data` for people. */
export function dataText(report: DataReport, isPart = false): string {
  const lines = [`${report.path}: ${report.text}`];
  const add = (name: string, text: string) => lines.push(`  ${name.padEnd(8)} ${text}`);
  if (report.videos > 0) add('videos', `${number(report.videos)} (pipe video ${report.path} looks into them)`);
  if (report.images > 0 && !report.parts) add('images', number(report.images));
  for (const { file, sizes } of report.idx) add('file', `${file}: ${sizes.join(' × ')}`);
  addClasses(report, add);
  addSizes(report, add);
  addFaults(report, add);
  for (const part of report.parts ?? []) lines.push('', dataText(part, true).trimEnd());
  if (!isPart && report.node) lines.push('', `As a node: ${JSON.stringify(report.node)}`);
  return `${lines.join('\n')}\n`;
}

type Add = (name: string, text: string) => void;

function addClasses({ classes, loose }: DataReport, add: Add): void {
  if (classes.length === 0) return;
  const sizes = classes.map(({ images }) => images);
  add('classes', `${number(classes.length)} of ${range(spread(sizes))} images`);
  for (const { name, images } of classes.slice(0, CLASSES)) add('', `${name}: ${number(images)}`);
  if (classes.length > CLASSES) add('', `… and ${number(classes.length - CLASSES)} more (--json lists all)`);
  const empty = classes.filter(({ images }) => images === 0).map(({ name }) => name);
  if (empty.length > 0)
    add('warning', `${plural(empty.length, 'class')} without images: ${empty.slice(0, 5).join(', ')}`);
  if (loose > 0) add('warning', `${count(loose, 'image')} beside the class folders are left out`);
}

function addSizes({ sizes, looked, images }: DataReport, add: Add): void {
  if (!sizes) return;
  add('looked', looked === images ? 'at every image' : `at ${number(looked)} images, chosen at random`);
  add('width', range(sizes.width));
  add('height', range(sizes.height));
  const bins = sizes.shorterSide.filter((bin) => bin.count > 0);
  const total = bins.reduce((sum, bin) => sum + bin.count, 0);
  const shares = bins.map(({ below, count }) => {
    const share = Math.round((100 * count) / total);
    return `${below === null ? '1,792 and more' : `below ${number(below)}`}: ${share === 0 ? '<1' : share} %`;
  });
  add('shorter', `side ${shares.join(', ')}`);
  add(
    'file',
    `${range({ min: sizes.bytes.min / 1000, median: sizes.bytes.median / 1000, max: sizes.bytes.max / 1000 }, ' kB')}`,
  );
  const names = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, n]) => `${name} ${number(n)}`)
      .join(', ');
  add('format', `${names(sizes.formats)}; colours: ${names(sizes.colors)}`);
}

function addFaults({ bad, looked, others }: DataReport, add: Add): void {
  if (bad.length > 0) {
    add('bad', `${number(bad.length)} of ${number(looked)} that were looked at; a gray picture stands in for each`);
    for (const { path, reason } of bad.slice(0, BAD)) add('', `${path}: ${reason}`);
    if (bad.length > BAD) add('', `… and ${number(bad.length - BAD)} more (--json lists all)`);
  }
  const other = Object.entries(others);
  if (other.length === 0) return;
  const shown = other.slice(0, 8).map(([suffix, n]) => `${suffix} ${number(n)}`);
  add('not read', `${shown.join(', ')}${other.length > shown.length ? ', …' : ''}`);
}
