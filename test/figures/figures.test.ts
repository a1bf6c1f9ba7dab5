import assert from 'node:assert/strict';
import sharp from 'sharp';
import { createAxis } from '../../runtime/figures/axis.ts';
import { classColor, cssColor } from '../../runtime/figures/colors.ts';
import { imageGrid } from '../../runtime/figures/image-grid.ts';
import { imagePage } from '../../runtime/figures/image-page.ts';
import type { Picture } from '../../runtime/figures/picture.ts';
import { scatterPlot } from '../../runtime/figures/scatter.ts';

const plain = (width: number, height: number, value: number, channels = 3): Picture => ({
  pixels: new Uint8Array(width * height * channels).fill(value),
  width,
  height,
  channels,
});
const at = ({ pixels, width }: Picture, x: number, y: number) => [
  ...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];
/** what a page or figure would fetch */
const FETCHED = /(?:src|href|url)\s*[=(]\s*["']?(?!data:)[a-z]/i;

describe('axis', () => {
  it('covers the values with round ticks', () => {
    const axis = createAxis([-1, 4, Number.NaN], 0, 100);
    assert(axis.position(-1) > 0 && axis.position(4) < 100);
    assert.deepEqual(
      axis.ticks.map(({ text }) => text),
      ['-1', '0', '1', '2', '3', '4'],
    );
    for (const { at, text } of axis.ticks) assert(Math.abs(at - axis.position(Number(text))) < 1e-9);
  });

  it('holds for one value, none, and any size of numbers', () => {
    for (const values of [[3], [], [1e-12, 3e-12], [-4e9, 7e11], [0.001, 0.0042], [1e6, 1e6 + 1]]) {
      const { ticks } = createAxis(values, 10, 20);
      assert(ticks.length >= 2 && ticks.length <= 13, `${values}: ${ticks.length} ticks`);
      assert.equal(new Set(ticks.map(({ text }) => text)).size, ticks.length, `${values}`);
      assert(ticks.every(({ at }) => at >= 10 && at <= 20));
    }
  });
});

describe('image grid', () => {
  it('puts pictures of many sizes into the middle of their cells', () => {
    const grid = imageGrid(
      [
        [plain(2, 4, 10), plain(4, 2, 20, 1)],
        [plain(2, 2, 30), undefined],
      ],
      { gap: 1 },
    );
    assert.deepEqual([grid.width, grid.height], [1 + 2 + 1 + 4 + 1, 1 + 4 + 1 + 2 + 1]);
    assert.deepEqual(at(grid, 1, 1), [10, 10, 10]);
    assert.deepEqual(at(grid, 4, 1), [222, 222, 222], 'above the lower picture');
    assert.deepEqual(at(grid, 4, 2), [20, 20, 20], 'gray became RGB');
    assert.deepEqual(at(grid, 2, 7), [30, 30, 30]);
    assert.deepEqual(at(grid, 4, 7), [222, 222, 222], 'no picture');
  });

  it('enlarges by whole factors', () => {
    const two: Picture = { pixels: Uint8Array.of(1, 2, 3, 4, 5, 6), width: 2, height: 1, channels: 3 };
    const grid = imageGrid([[two]], { gap: 0, scale: 2 });
    assert.deepEqual([...grid.pixels], [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]);
    assert.throws(() => imageGrid([[]]), /no pictures/);
    assert.throws(() => imageGrid([[two]], { scale: 1.5 }), RangeError);
  });
});

describe('image page', () => {
  it('holds its pictures, escapes names, fetches nothing', async () => {
    const page = await imagePage({
      title: 'a <b> & "c"',
      columns: ['original'],
      rows: [{ heading: '<script>alert(1)</script>', pictures: [plain(3, 2, 77)] }],
    });
    assert(!page.includes('<script') && page.includes('a &lt;b&gt; &amp; &quot;c&quot;'));
    assert.doesNotMatch(page, FETCHED);
    const [, encoded] = /src="data:image\/png;base64,([^"]+)"/.exec(page)!;
    const { data, info } = await sharp(Buffer.from(encoded, 'base64')).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, data[0], data.length], [3, 2, 77, 18]);
  });
});

describe('scatter plot', () => {
  const names = { title: 't', xName: 'x <1>', yName: 'y' };

  it('draws each point in the colour of its class, and the legend', async () => {
    const points = [0, 0, 1, 1, 2, 0, Number.NaN, 3];
    const svg = await scatterPlot({ ...names, points, labels: [7, 3, 7, 3], nameOf: (label) => `class ${label}` });
    const paths = [...svg.matchAll(/<path d="([^"]*)" stroke="(rgb[^"]*)"/g)];
    assert.deepEqual(
      paths.map(([, d, color]) => [d.split('M').length - 1, color]),
      [
        [1, cssColor(classColor(0))],
        [2, cssColor(classColor(1))],
      ],
    );
    assert.match(svg, /class 3.*\n.*class 7/);
    assert.match(svg, /3 points, 1 not finite/);
    assert.match(svg, /x &lt;1&gt;/);
    assert.doesNotMatch(svg, FETCHED);
    const { width } = await sharp(Buffer.from(svg)).metadata();
    assert.equal(width, 960);
  });

  it('of 300,000 points and 1,000 classes stays small', async () => {
    const points = Float32Array.from({ length: 600_000 }, (_, i) => Math.sin(i * 1.1) * Math.cos(i / 7));
    const labels = Int32Array.from({ length: 300_000 }, (_, i) => i % 1000);
    const svg = await scatterPlot({ ...names, points, labels });
    assert(svg.length < 4e6, `${svg.length} letters`);
    assert.match(svg, /and 976 more/);
    const { channels } = await sharp(Buffer.from(svg)).stats();
    assert(channels[0].stdev > 5, 'points are to be seen');
  });

  it('of no points is an empty plot', async () => {
    assert.match(await scatterPlot({ ...names, points: [] }), /0 points/);
  });
});
