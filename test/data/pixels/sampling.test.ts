import assert from 'node:assert/strict';
import { sampleCropPosition, sampleResizedCrop } from '../../../runtime/data/pixels/sample-crop.ts';
import { distortionRanges, jitterRanges, sampleColorJitter } from '../../../runtime/data/pixels/sample-jitter.ts';
import { createRandom } from '../../../runtime/random.ts';
import { transformCases } from '../oracle.ts';

/** Hands out recorded draws, and sees that they are asked for as they were recorded. */
function recorded(draws: { fn: string; lo: number; hi: number; value: number }[]) {
  let next = 0;
  const take = (fn: string, lo: number, hi: number) => {
    const draw = draws[next++];
    assert.deepEqual([draw.fn, Math.fround(draw.lo), Math.fround(draw.hi)], [fn, Math.fround(lo), Math.fround(hi)]);
    return draw.value;
  };
  return {
    uniform: (lo: number, hi: number) => take('uniform', lo, hi),
    integer: (n: number) => take('randint', 0, n),
    finished: () => assert.equal(next, draws.length, 'every recorded draw was taken'),
  };
}

describe('random crops', () => {
  for (const [i, { params, inputs, outputs }] of transformCases('random_resized_crop_params').entries()) {
    it(`are torchvision's for its draws: case ${i}, ${outputs.attempts} tries, fallback ${outputs.fallback}`, () => {
      const random = recorded(inputs.draws);
      const { top, left, height, width } = outputs;
      const box = sampleResizedCrop(random, params.width, params.height, params.scale, params.ratio);
      assert.deepEqual(box, { left, top, width, height });
      random.finished();
    });
  }

  it('lie inside the picture, whatever its shape', () => {
    for (const [width, height] of [
      [1, 1],
      [1, 500],
      [5000, 1],
      [3, 2],
      [500, 375],
    ]) {
      for (let i = 0; i < 200; i++) {
        const box = sampleResizedCrop(createRandom(1, width, height, i), width, height, [0.05, 1]);
        assert.ok(box.width >= 1 && box.height >= 1 && box.left >= 0 && box.top >= 0);
        assert.ok(box.left + box.width <= width && box.top + box.height <= height);
      }
    }
  });

  it('cover shares of the area evenly within the scale', () => {
    const shares = Array.from({ length: 4000 }, (_, i) => {
      const box = sampleResizedCrop(createRandom(2, i), 640, 480, [0.2, 0.6]);
      return (box.width * box.height) / (640 * 480);
    });
    const mean = shares.reduce((a, b) => a + b) / shares.length;
    assert.ok(Math.abs(mean - 0.4) < 0.01, `mean share ${mean}`);
    assert.ok(shares.every((share) => share > 0.195 && share < 0.605));
  });

  it('of a fixed size take every position, top drawn before left', () => {
    const asked: number[] = [];
    const random = { uniform: () => 0, integer: (n: number) => asked.push(n) - 1 };
    assert.deepEqual(sampleCropPosition(random, { width: 40, height: 30 }, 32, 28), { top: 0, left: 1 });
    assert.deepEqual(asked, [3, 9]);
    assert.deepEqual(sampleCropPosition(random, { width: 32, height: 28 }, 32, 28), { top: 0, left: 0 });
    assert.equal(asked.length, 2, 'nothing is drawn when there is one position');
    assert.throws(
      () => sampleCropPosition(random, { width: 32, height: 28 }, 33, 28),
      /crop of 33×28 does not fit in a picture of 32×28: resize or pad/,
    );
  });
});

describe('colour jitter', () => {
  for (const { params, outputs, tolerance } of transformCases('color_jitter_ranges')) {
    it(`${params.transform} of strength ${params.strength} samples VISSL's ranges`, () => {
      const ranges = distortionRanges(params.strength);
      for (const name of ['brightness', 'contrast', 'saturation', 'hue'] as const) {
        for (const end of [0, 1]) assert.ok(Math.abs(ranges[name]![end] - outputs[name][end]) <= tolerance);
      }
    });
  }

  it('leaves out what cannot change anything', () => {
    assert.deepEqual(jitterRanges({ brightness: 0, contrast: [1, 1], hue: [0, 0], saturation: [0.5, 1] }), {
      brightness: null,
      contrast: null,
      saturation: [0.5, 1],
      hue: null,
    });
    assert.deepEqual(sampleColorJitter(createRandom(1), jitterRanges({})), []);
  });

  it('names the strength that is wrong', () => {
    assert.throws(() => jitterRanges({ hue: 0.6 }), /hue from -0.6 to 0.6: expected a range within -0.5 to 0.5/);
    assert.throws(() => jitterRanges({ brightness: -1 }), /brightness -1: a strength is at least 0/);
    assert.throws(() => jitterRanges({ contrast: [2, 1] }), /contrast from 2 to 1/);
    assert.throws(() => jitterRanges({ contrast: [-1, 1] }), /contrast from -1 to 1/);
  });

  it('draws the order first, then factors in the fixed order, and applies them in the drawn one', () => {
    const asked: string[] = [];
    const random = {
      permutation: (n: number) => {
        asked.push(`permutation ${n}`);
        return Uint32Array.of(3, 1, 0, 2);
      },
      uniform: (low: number, high: number) => {
        asked.push(`uniform ${low} ${high}`);
        return high;
      },
    };
    const ranges = jitterRanges({ brightness: 0.5, contrast: 0, saturation: [0.25, 2], hue: 0.125 });
    assert.deepEqual(sampleColorJitter(random, ranges), [
      { operation: 'hue', factor: 0.125 },
      { operation: 'brightness', factor: 1.5 },
      { operation: 'saturation', factor: 2 },
    ]);
    assert.deepEqual(asked, ['permutation 4', 'uniform 0.5 1.5', 'uniform 0.25 2', 'uniform -0.125 0.125']);
  });

  it('gives all 24 orders equally often', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 4800; i++) {
      const order = sampleColorJitter(createRandom(3, i), distortionRanges(1)).map(({ operation }) => operation);
      counts.set(order.join(), (counts.get(order.join()) ?? 0) + 1);
    }
    assert.equal(counts.size, 24);
    for (const count of counts.values()) assert.ok(count > 130 && count < 270, `${count} of 4800`);
  });
});
