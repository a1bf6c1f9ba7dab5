import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { boundingBox } from '../../runtime/lightly/bounding-box.ts';
import { cosineSchedule, cosineWarmupSchedule } from '../../runtime/lightly/cosine-schedule.ts';
import { COCO_ANNOTATION_KEYS, saveCustomMetadata } from '../../runtime/lightly/custom-metadata.ts';
import { eyeRank } from '../../runtime/lightly/eye-rank.ts';
import { fitPca } from '../../runtime/lightly/fit-pca.ts';
import { jsonText } from '../../runtime/lightly/json-text.ts';
import { Pca } from '../../runtime/lightly/pca.ts';
import { stdOfL2Normalized } from '../../runtime/lightly/std-of-l2-normalized.ts';
import { readYoloLabels } from '../../runtime/lightly/yolo-labels.ts';
import { createRandom } from '../../runtime/random.ts';
import { testFolder } from './folder.ts';

const gaussian = (rows: number, columns: number, scale: (j: number) => number = () => 1) => {
  const random = createRandom(3, 'rows');
  const data = Float64Array.from({ length: rows * columns }, (_, i) => random.normal() * scale(i % columns));
  return { data, rows, columns };
};

describe('JSON text', () => {
  it('is that of json.dump: blanks, escapes, order of keys', () => {
    assert.equal(jsonText({ b: [1, 2.5, null, true], a: 'ä"\\\n\u007f😀' }), String.raw`{"b": [1, 2.5, null, true], "a": "\u00e4\"\\\n\u007f\ud83d\ude00"}`); // biome-ignore format: one text
    assert.equal(jsonText({ x: 1e21, y: undefined, z: 1e-7 }), '{"x": 1e+21, "z": 1e-07}');
  });

  it('names what it cannot hold', () => {
    assert.throws(() => jsonText({ a: [1, Number.NaN] }), /the value\.a\[1\] is NaN/);
    assert.throws(() => jsonText({ f: () => 1 }), /the value\.f is a function/);
  });
});

describe('custom metadata', () => {
  const path = testFolder();
  it('is written under the keys of COCO', async () => {
    await saveCustomMetadata(path('m.json'), [['a.png', { people: 1 }]]);
    const saved = JSON.parse(readFileSync(path('m.json'), 'utf8'));
    const keys = COCO_ANNOTATION_KEYS;
    assert.deepEqual(saved[keys.images], [{ [keys.images_id]: 0, [keys.images_filename]: 'a.png' }]);
    assert.deepEqual(saved[keys.custom_metadata], [{ [keys.custom_metadata_image_id]: 0, people: 1 }]);
  });

  it('of YOLO boxes is checked line by line', async () => {
    const given = (text: string) => {
      writeFileSync(path('l.txt'), text);
      return readYoloLabels(path('l.txt'));
    };
    assert.deepEqual(await given('\n2 0.5 0.5 1 1 0.9\r\n'), { classIds: [2], boxes: [boundingBox(0, 0, 1, 1)] });
    await assert.rejects(given('0 1 2\n'), /l\.txt:1: 3 values in "0 1 2"; a line is written class x y width height/);
    await assert.rejects(given('0 .5 .5 .1 .1\nx .5 .5 .1 .1\n'), /l\.txt:2: the class "x"/);
    await assert.rejects(given('0 .5 .5 0 .1\n'), /l\.txt:1: .*x0 must be smaller/);
    await assert.rejects(given('0 .5 nan .1 .1\n'), /"nan" is not a number/);
    assert.throws(() => boundingBox(1.2, 0, 1.5, 1), /outside the image/);
  });
});

describe('PCA', () => {
  it('finds the axes of an ellipsoid and keeps distances when all components are kept', () => {
    const data = gaussian(4000, 5, (j) => [1, 8, 3, 0.5, 2][j]);
    const pca = new Pca({ components: 5 }).fit(data);
    assert.deepEqual(
      pca.axes.map((axis) => axis.findIndex((x) => x > 0.9)),
      [1, 2, 4, 0, 3],
    );
    const turned = pca.transform(data).data;
    for (let i = 1; i < 50; i++) {
      const distance = (values: ArrayLike<number>) =>
        Math.hypot(...Array.from({ length: 5 }, (_, j) => values[i * 5 + j] - values[j]));
      assert(Math.abs(distance(turned) - distance(data.data)) < 1e-4);
    }
    const variance = pca.eigenvalues.map((value) => value * data.rows);
    assert(Math.abs(variance[0] - 64) < 4 && Math.abs(variance[4] - 0.25) < 0.02);
  });

  it('of more components than columns gives the columns; one row is refused', () => {
    const data = gaussian(9, 2);
    assert.equal(new Pca({ components: 4 }).fit(data).transform(data).columns, 2);
    assert.throws(() => new Pca().fit(gaussian(1, 2)), /two rows/);
    assert.throws(() => new Pca().fit(data).transform(gaussian(4, 3)), /3 columns, but PCA was fitted to 2/);
    assert.throws(() => new Pca({ components: 0 }), RangeError);
  });

  it('of a fraction depends on the seed alone', () => {
    const data = gaussian(100, 3);
    const axes = (seed: number) => fitPca(data, { fraction: 0.2, seed }).axes;
    assert.deepEqual(axes(1), axes(1));
    assert.notDeepEqual(axes(1), axes(2));
    assert.throws(() => fitPca(data, { fraction: 0 }), /fraction is 0; it must lie above 0/);
    assert.throws(() => fitPca(data, { fraction: 0.01 }), /two rows/);
    assert.throws(() => fitPca(data, { fraction: Number.NaN }), RangeError);
  });
});

describe('collapse measure', () => {
  it('is near 1/√d for Gaussian rows, 0 for equal ones, and does not see their lengths', () => {
    const { data, rows, columns } = gaussian(20_000, 64);
    const std = stdOfL2Normalized(data, [rows, columns]);
    assert(Math.abs(std - 1 / 8) < 1e-3);
    const stretched = data.map((x, i) => x * (1 + Math.floor(i / columns)));
    assert(Math.abs(stdOfL2Normalized(stretched, [rows, columns]) - std) < 1e-12);
    assert(stdOfL2Normalized(new Float32Array(100).fill(2), [10, 10]) < 1e-12);
    assert.throws(() => stdOfL2Normalized([1, 2], [2]), /1 dimensions/);
  });
});

describe('cosine schedules', () => {
  it('stay at the end after the last step, and check their numbers', () => {
    const schedule = { maxSteps: 10, startValue: 1, endValue: 0.2 };
    assert.equal(cosineSchedule(500, schedule), 0.2);
    assert.equal(cosineWarmupSchedule(500, { ...schedule, warmupSteps: 3 }), 0.2);
    assert.throws(() => cosineWarmupSchedule(0, { ...schedule, warmupSteps: 11 }), /11 warm-up steps are more than/);
    assert.throws(() => cosineWarmupSchedule(0, { ...schedule, warmupSteps: -1 }), /negative/);
  });
});

describe('eye_rank', () => {
  it('marks own samples among those of all ranks; the ranks together mark each once', () => {
    const total = new Uint8Array(4 * 12);
    for (let rank = 0; rank < 3; rank++) eyeRank(4, { rank, size: 3 }).forEach((x, i) => { total[i] += x; }); // biome-ignore format: one sum
    assert.equal(total.reduce((sum, x) => sum + x), 12); // biome-ignore format: one sum
    assert.throws(() => eyeRank(2, { rank: 3, size: 3 }), RangeError);
  });
});
