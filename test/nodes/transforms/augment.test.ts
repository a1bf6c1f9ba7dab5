import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { applyOperation, OPERATIONS, type OperationName } from '../../../nodes/transforms/augment-ops.ts';
import { POLICIES } from '../../../nodes/transforms/augment-policies.ts';
import autoAugment from '../../../nodes/transforms/auto_augment.ts';
import { chooseByWeight } from '../../../nodes/transforms/choose-by-weight.ts';
import randAugment from '../../../nodes/transforms/rand_augment.ts';
import type { PackedPixels } from '../../../runtime/data/sample.ts';
import { createRandom, type Random } from '../../../runtime/random.ts';
import { apply, facts, newPixels, RGB, recorded } from './apply.ts';

interface AugmentedCase {
  readonly op: OperationName;
  readonly magnitude: number;
  readonly picture: string;
  readonly negative?: boolean;
  readonly bicubic?: boolean;
  /** first 64 bits */
  readonly sha256: string;
}

const file = new URL('../../data/fixtures/augmented.json', import.meta.url);
const { width, height, pictures, cases } = JSON.parse(readFileSync(file, 'utf8'));

const picture = (name: string): PackedPixels => ({
  pixels: Uint8Array.from(Buffer.from(pictures[name], 'base64')),
  width,
  height,
  channels: 3,
});
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

/** A draw for each choice that was made. */
const draws = ({ negative, bicubic }: Pick<AugmentedCase, 'negative' | 'bicubic'>) =>
  [negative, bicubic].filter((choice) => choice !== undefined).map((choice) => (choice ? 0.75 : 0.25));

describe('operations of AutoAugment and RandAugment', () => {
  for (const name of Object.keys(OPERATIONS) as OperationName[]) {
    it(`${name} gives Pillow's bytes`, () => {
      const own = (cases as AugmentedCase[]).filter(({ op }) => op === name);
      assert.ok(own.length >= 2);
      const pixels = newPixels();
      for (const one of own) {
        pixels.arena.reset();
        const random = recorded({ next: draws(one) });
        const given = { name, p: 1, magnitude: one.magnitude, std: 0 };
        const view = applyOperation(pixels, pixels.put(picture(one.picture)), given, random);
        assert.equal(digest(pixels.bytes(view)), one.sha256, JSON.stringify(one));
        assert.throws(() => random.next(), 'every draw was used');
      }
    });
  }

  it('leave a view alone with probability 1 - p, and cut the drawn magnitude to 0…10', () => {
    const pixels = newPixels();
    const given = { name: 'Invert', p: 0.3, magnitude: 5, std: 0 } as const;
    const inverted = (draw: number) => {
      const view = applyOperation(pixels, pixels.put(picture('noise')), given, recorded({ next: [draw] }));
      return pixels.bytes(view)[0] !== picture('noise').pixels[0];
    };
    assert.deepEqual([0, 0.29, 0.3, 0.9].map(inverted), [true, true, false, false]);
    const solarized = (normal: number) => {
      const random = { next: () => assert.fail(), normal: () => normal } as unknown as Random;
      const solarize = { name: 'Solarize', p: 1, magnitude: 5, std: 2 } as const;
      return digest(pixels.bytes(applyOperation(pixels, pixels.put(picture('ramp')), solarize, random)));
    };
    const want = (magnitude: number) =>
      (cases as AugmentedCase[]).find(
        (one) => one.op === 'Solarize' && one.picture === 'ramp' && one.magnitude === magnitude,
      )!.sha256;
    assert.deepEqual([-9, 0, 2, 30].map(solarized), [want(0), want(5), want(9), want(10)]);
  });
});

const shapeOf = (policy: readonly (readonly { name: string; p: number; magnitude: number }[])[]) =>
  policy.flat().map(({ p, magnitude }) => [p, magnitude]);

describe('transform/auto_augment', () => {
  it('has 25 pairs a policy; those with r differ in posterize alone', () => {
    for (const policy of Object.values(POLICIES)) {
      assert.equal(policy.length, 25);
      for (const pair of policy) {
        assert.equal(pair.length, 2);
        for (const { name, p, magnitude } of pair) {
          assert.ok(name in OPERATIONS && p >= 0 && p <= 1 && magnitude >= 0 && magnitude <= 10, name);
        }
      }
    }
    assert.deepEqual(shapeOf(POLICIES.v0), shapeOf(POLICIES.v0r));
    assert.deepEqual(shapeOf(POLICIES.original), shapeOf(POLICIES.originalr));
    // sums pin the tables
    const sum = (name: keyof typeof POLICIES) =>
      shapeOf(POLICIES[name]).reduce(([a, b], [p, magnitude]) => [a + p, b + magnitude], [0, 0]);
    assert.deepEqual(sum('v0').map((x) => x.toFixed(1)), ['29.8', '240.0']); // biome-ignore format: one line
    assert.deepEqual(sum('original').map((x) => x.toFixed(1)), ['31.0', '287.0']); // biome-ignore format: one line
  });

  const chain = (params: Record<string, unknown>, name: string, integer: number, next: number[]) => {
    const random = recorded({ integer: [integer], next });
    const { bytes } = apply(autoAugment, params, [picture(name)], { random: () => random });
    assert.throws(() => random.next(), 'every draw was used');
    return digest(bytes[0]);
  };

  it('applies the pair that was drawn, as Pillow would', () => {
    // 15: rotate always (positive, bicubic), translate in 4 of 5 (negative, bilinear)
    assert.equal(chain({}, 'noise', 15, [0.1, 0.9, 0.7, 0.9, 0.1]), '01609ac42384a687');
    assert.equal(chain({ policy_name: 'v0r' }, 'ramp', 12, [0.39, 0.39]), 'b5f1c364a2fdbe4b');
    assert.equal(chain({ policy_name: 'original' }, 'ramp', 0, [0.2, 0.5, 0.8, 0.2]), '6451df6bb5574dac');
  });

  it('works on bytes only', () => {
    assert.match(facts(autoAugment, {}, { ...RGB, dtype: 'float32' }).messages[0], /works on bytes/);
  });
});

describe('transform/rand_augment', () => {
  it('applies the operations that were drawn, each in half of the views', () => {
    const random = recorded({ integer: [11, 7, 2], next: [0.4, 0.3, 0.2, 0.1, 0.6, 0.5] });
    const params = { magnitude: 9, num_layers: 3, increasing_severity: true };
    const { bytes } = apply(randAugment, params, [picture('ramp')], { random: () => random });
    assert.equal(digest(bytes[0]), '2f688ee36b9b5f91');
    assert.throws(() => random.next(), 'every draw was used');
  });

  it('draws by weight, none twice, when asked', () => {
    const random = createRandom(3);
    const weights = [0.5, 0, 0.3, 0.2];
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 20_000; i++) counts[chooseByWeight(random, weights, 1)[0]]++;
    counts.forEach((count, i) => {
      assert.ok(Math.abs(count / 20_000 - weights[i]) < 0.012, `${i}: ${count}`);
    });
    for (let i = 0; i < 100; i++) assert.deepEqual(chooseByWeight(random, weights, 3).sort(), [0, 2, 3]);
    // the second after the first: without 0, shares are 3 to 2
    const second = Array.from({ length: 20_000 }, () => chooseByWeight(random, weights, 2)).filter(
      ([first]) => first === 0,
    );
    const share = second.filter(([, then]) => then === 2).length / second.length;
    assert.ok(Math.abs(share - 0.6) < 0.02, `${share}`);
    // all thirteen weighted operations of a view, each left out: what is drawn is thirteen choices and thirteen chances
    const stream = recorded({ next: [...new Array(26).fill(0.999)] });
    const { bytes } = apply(randAugment, { weight_choice: 0, num_layers: 13 }, [picture('noise')], {
      random: () => stream,
    });
    assert.deepEqual(bytes[0], picture('noise').pixels);
    assert.throws(() => stream.next(), 'every draw was used');
  });

  it('says when there are fewer weighted operations than layers', () => {
    const messages = (num_layers: number) => facts(randAugment, { weight_choice: 0, num_layers }, RGB).messages;
    assert.deepEqual(messages(13), []);
    assert.match(messages(14)[0], /num_layers is 14; 13 operations have a weight/);
  });
});
