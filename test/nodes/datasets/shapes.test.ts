import assert from 'node:assert/strict';
import shapes from '../../../nodes/datasets/shapes.ts';
import synthetic from '../../../nodes/datasets/synthetic.ts';
import { facts, labelsOf, type Opened, open, pixelsOf } from './open.ts';

async function vectors(opened: Opened): Promise<Float32Array[]> {
  const found = [];
  for (let i = 0; i < opened.index.length; i++) found.push(Float32Array.from((await pixelsOf(opened, i)).pixels));
  return found;
}

/** Share of queries whose nearest neighbours, by raw values, vote for the right class. */
function nearestNeighbours(bank: Float32Array[], queries: Float32Array[], classes: number, k: number): number {
  let right = 0;
  queries.forEach((query, q) => {
    const distances = bank.map((other, i) => {
      let sum = 0;
      for (let at = 0; at < query.length; at++) sum += (query[at] - other[at]) ** 2;
      return [sum, i % classes];
    });
    const votes = new Array<number>(classes).fill(0);
    for (const [, label] of distances.sort(([a], [b]) => a - b).slice(0, k)) votes[label]++;
    if (votes.indexOf(Math.max(...votes)) === q % classes) right++;
  });
  return right / queries.length;
}

describe('dataset/shapes', () => {
  it('gives the same picture for the same seed, split and index, and another for any other', async () => {
    const params = { length: 20, size: 24 };
    const base = await vectors(await open(shapes, params));
    assert.deepEqual(await vectors(await open(shapes, params)), base);
    for (const other of [{ seed: 1 }, { split: 'test' }]) {
      const pictures = await vectors(await open(shapes, { ...params, ...other }));
      for (const [i, picture] of pictures.entries()) assert.notDeepEqual(picture, base[i]);
    }
    assert.equal(new Set(base.map(String)).size, 20);
    // a longer dataset begins with the same pictures
    assert.deepEqual((await vectors(await open(shapes, { ...params, length: 30 }))).slice(0, 20), base);
  });

  it('says what it holds before it draws', async () => {
    const params = { length: 30, size: 20, classes: 6, limit: 13 };
    const opened = await open(shapes, params);
    assert.deepEqual(facts(shapes, params), {
      views: [[[20], [20], [3]]],
      dtype: 'uint8',
      labelled: true,
      classes: 6,
      length: 13,
    });
    assert.equal(opened.index.length, 13);
    assert.equal(opened.index.classes?.length, 6);
    assert.deepEqual(
      await labelsOf(opened),
      Array.from({ length: 13 }, (_, i) => i % 6),
    );
    const { pixels, width, height } = await pixelsOf(opened, 3);
    assert.deepEqual([pixels.length, width, height], [1200, 20, 20]);
  });

  it('draws figures that can be seen, with smooth edges, at any size', async () => {
    for (const size of [8, 32, 65]) {
      for (const picture of await vectors(await open(shapes, { length: 40, size }))) {
        const mean = picture.reduce((a, b) => a + b) / picture.length;
        const deviation = Math.sqrt(picture.reduce((a, b) => a + (b - mean) ** 2, 0) / picture.length);
        assert.ok(deviation > 4, `size ${size}: nothing to be seen, deviation ${deviation}`);
      }
    }
  });

  it('is a task that raw pixels do badly at', async () => {
    const bank = await vectors(await open(shapes, { length: 800, size: 16 }));
    const queries = await vectors(await open(shapes, { length: 160, size: 16, split: 'test' }));
    const share = nearestNeighbours(bank, queries, 8, 20);
    assert.ok(share < 0.3, `raw pixels find ${share} of 8 classes`);
  });
});

describe('dataset/synthetic', () => {
  it('gives gray pictures without labels', async () => {
    const opened = await open(synthetic, { size: 5, limit: 3 });
    assert.equal(opened.index.length, 3);
    assert.deepEqual(Array.from((await pixelsOf(opened, 2)).pixels), new Array(75).fill(128));
    assert.deepEqual(await labelsOf(opened), [-1, -1, -1]);
    assert.equal(facts(synthetic, {}).length, 50000);
  });
});
