import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import sharp, { type JpegOptions } from 'sharp';
import { decodeBaseline } from '../../../runtime/data/jpeg/decoder.ts';
import { createRandom } from '../../../runtime/random.ts';
import { picturePixels } from '../fixtures.ts';

interface Case {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** whether this decoder takes it */
  readonly baseline: boolean;
  /** of the RGB bytes */
  readonly sha256: string;
  /** base64 */
  readonly file: string;
}

const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL('../fixtures/jpeg.json', import.meta.url), 'utf8'),
).cases;

const made = (width: number, height: number, options: JpegOptions, gray = false): Promise<Buffer> => {
  const picture = sharp(picturePixels(width, height, width), { raw: { width, height, channels: 3 } });
  return (gray ? picture.grayscale() : picture).jpeg(options).toBuffer();
};
const byLibrary = (file: Uint8Array): Promise<Buffer> =>
  sharp(file, { ignoreIcc: true }).removeAlpha().toColourspace('srgb').raw().toBuffer();

describe('baseline JPEG', () => {
  for (const { name, width, height, baseline, sha256, file } of cases) {
    it(`${name}: ${baseline ? "Pillow's bytes" : 'left to the library'}`, () => {
      const picture = decodeBaseline(Buffer.from(file, 'base64'));
      if (!baseline) {
        assert.equal(picture, undefined);
        return;
      }
      assert.deepEqual([picture?.width, picture?.height, picture?.channels], [width, height, 3]);
      assert.equal(createHash('sha256').update(picture!.pixels).digest('hex'), sha256);
    });
  }

  it('has the bytes of the library at all sizes about a block and a unit, fine and coarse, in colour and gray', async () => {
    let compared = 0;
    for (const [width, height] of [
      [5, 1],
      [7, 9],
      [8, 8],
      [16, 16],
      [17, 17],
      [33, 31],
      [15, 70],
      [101, 67],
    ]) {
      for (const quality of [10, 75, 100]) {
        for (const chromaSubsampling of ['4:4:4', '4:2:0']) {
          for (const gray of [false, true]) {
            const file = await made(width, height, { quality, chromaSubsampling }, gray);
            const what = `${width}×${height} ${quality} ${chromaSubsampling} ${gray}`;
            assert.ok(Buffer.from(decodeBaseline(file)!.pixels).equals(await byLibrary(file)), what);
            compared += 1;
          }
        }
      }
    }
    assert.equal(compared, 96);
  });

  it('tells tables apart that pictures share, change, and have fewer of', async () => {
    const files: Buffer[] = [];
    for (const optimiseCoding of [true, false]) {
      for (const gray of [false, true]) {
        for (const quality of [30, 95]) files.push(await made(40, 33, { quality, optimiseCoding }, gray));
      }
    }
    const [broken] = files.map((file) => Buffer.from(file));
    broken[broken.indexOf(Buffer.of(0xff, 0xc4)) + 5] = 255; // codes of one bit
    const expected = await Promise.all(files.map(byLibrary));
    const random = createRandom(9, 'tables');
    for (let i = 0; i < 300; i++) {
      const which = random.integer(files.length);
      assert.ok(expected[which].equals(decodeBaseline(files[which])!.pixels), `file ${which}`);
      if (random.integer(4) === 0) assert.equal(decodeBaseline(broken), undefined);
    }
  });

  it('does not take what is cut off, anywhere', async () => {
    const file = await made(40, 24, { quality: 80 });
    for (let length = 0; length < file.length; length++) {
      assert.equal(decodeBaseline(file.subarray(0, length)), undefined, `${length} of ${file.length} bytes`);
    }
    assert.ok(decodeBaseline(Buffer.concat([file, Buffer.from('more')])), 'what follows the end does not matter');
  });

  it('survives any damage, and decodes whole files after it', async () => {
    const file = await made(61, 45, { quality: 90 });
    const whole = Buffer.from(decodeBaseline(file)!.pixels);
    const place = fc.nat(file.length - 1);
    const damage = fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(damage, (changes) => {
        const broken = Buffer.from(file);
        for (const [at, value] of changes) broken[at] = value;
        const picture = decodeBaseline(broken);
        if (picture) assert.equal(picture.pixels.length, picture.width * picture.height * 3);
      }),
      { numRuns: 2000, seed: 7 },
    );
    assert.ok(Buffer.from(decodeBaseline(file)!.pixels).equals(whole));
  });
});
