import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DecodeError, decodeImage } from '../../runtime/data/decode.ts';
import { createPixelMemory } from '../../runtime/data/pixels/memory.ts';
import { createPixels } from '../../runtime/data/pixels/pixels.ts';
import { createRandom } from '../../runtime/random.ts';
import { ORACLES, transformCases } from './oracle.ts';

interface Decoded {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
  /** base64 */
  readonly file: string;
}

const fixtures: Decoded[] = JSON.parse(
  await readFile(new URL('./fixtures/decoded.json', import.meta.url), 'utf8'),
).cases;

function encoded(name: string): Buffer {
  const found = fixtures.find((fixture) => fixture.name === name);
  assert.ok(found, name);
  return Buffer.from(found.file, 'base64');
}

/** The message of the DecodeError that decoding these bytes, called photo.jpg, ends in. */
async function failure(bytes: Uint8Array, pixelLimit?: number): Promise<string> {
  try {
    await decodeImage({ encoded: bytes }, { name: 'photo.jpg', pixelLimit });
  } catch (error) {
    assert.ok(error instanceof DecodeError);
    return error.message;
  }
  return assert.fail('it decoded');
}

describe('decoding', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'decode-'));
  });
  after(() => rm(folder, { recursive: true }));

  for (const { name, width, height, sha256, file } of fixtures) {
    it(`gives Pillow's bytes for ${name}`, async () => {
      const picture = await decodeImage({ encoded: Buffer.from(file, 'base64') });
      assert.deepEqual([picture.width, picture.height, picture.channels], [width, height, 3]);
      assert.equal(picture.pixels.length, width * height * 3);
      assert.equal(createHash('sha256').update(picture.pixels).digest('hex'), sha256);
    });
  }

  for (const { params, inputs, outputs } of transformCases('images')) {
    it(`reads the file ${params.name} into the shared memory`, async () => {
      const pixels = createPixels(createPixelMemory({ bytes: 65536 }), { offset: 0, bytes: 65536 });
      const view = pixels.put(await decodeImage({ file: join(ORACLES, 'transforms', inputs.file) }));
      const { shape, data } = outputs.pixels;
      assert.deepEqual([view.height, view.width], shape.slice(0, 2));
      const want = shape.length === 3 ? data : data.flatMap((v: number) => [v, v, v]);
      assert.deepEqual(Array.from(pixels.bytes(view)), want);
    });
  }

  it('hands on pixels that are decoded already', async () => {
    const picture = { pixels: new Uint8Array(6), width: 3, height: 2, channels: 1 };
    assert.equal(await decodeImage(picture), picture);
  });

  it('says what is wrong with a file that cannot be used', async () => {
    const jpeg = encoded('JPEG, 4:4:4');
    assert.match(
      await failure(jpeg.subarray(0, jpeg.length - 200)),
      /cannot decode photo\.jpg: .*premature end.*damaged/,
    );
    assert.match(await failure(jpeg.subarray(0, 100)), /cannot decode photo\.jpg: .*damaged/);
    assert.match(await failure(encoded('PNG, RGB').subarray(0, 60)), /cannot decode photo\.jpg: .*damaged/);
    assert.match(await failure(new Uint8Array(0)), /photo\.jpg: the file is empty/);
    assert.match(await failure(Buffer.from('no picture at all')), /not an image in a known format. Use JPEG/);
    assert.match(await failure(Buffer.from('BM and so on')), /photo\.jpg: the file ends within its header/);
    assert.match(await failure(encoded('BMP, 24 bits').subarray(0, 900)), /photo\.jpg: the file ends too early/);
    const rle4 = encoded('BMP, 4 bits');
    rle4[30] = 2;
    assert.match(await failure(rle4), /BMP with 4 bits and compression 2 is not supported/);
    assert.match(await failure(Buffer.from('P6 2 2 255 ')), /photo\.jpg: the file ends too early/);
    assert.match(await failure(Buffer.from('P2 2 2 9 1 2 3 x')), /something other than numbers/);
    assert.match(await failure(Buffer.from('P5 1 1 9 \xff', 'latin1')), /has the value 255, and its greatest is 9/);
    assert.match(await failure(Buffer.from('P7\nWIDTH 2')), /PAM files are not supported/);
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>';
    assert.match(await failure(Buffer.from(svg)), /SVG is not a pixel format/);
  });

  it('names the file that is missing or damaged', async () => {
    const missing = join(folder, 'missing.png');
    await assert.rejects(decodeImage({ file: missing }), {
      name: 'DecodeError',
      message: `cannot read ${missing}: there is no such file. Check the path and its permissions.`,
    });
    const damaged = join(folder, 'damaged.png');
    await writeFile(damaged, encoded('PNG, RGB').subarray(0, 60));
    await assert.rejects(decodeImage({ file: damaged }), ({ message }: Error) => message.includes(damaged));
  });

  it('never does worse than a DecodeError on damaged BMP and PPM files', async () => {
    const random = createRandom(5);
    for (const { name, file } of fixtures.filter(({ name }) => /^(BMP|P[PGB]M)/.test(name))) {
      for (let i = 0; i < 60; i++) {
        const bytes = Buffer.from(file, 'base64');
        for (let k = 0; k < 3; k++) bytes[random.integer(Math.min(bytes.length, 80))] = random.integer(256);
        const cut = bytes.subarray(0, i % 2 ? bytes.length : random.integer(bytes.length));
        const made = await decodeImage({ encoded: cut }, { name, pixelLimit: 1e6 }).catch((error: unknown) => {
          assert.ok(error instanceof DecodeError, String(error));
        });
        if (made) assert.equal(made.pixels.length, made.width * made.height * made.channels);
      }
    }
  });

  it('checks the number of pixels before it decodes them', async () => {
    // the header says 60,000 × 60,000; there is no data for that
    const bomb = encoded('PNG, RGB');
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    const crc = (await import('node:zlib')).crc32(bomb.subarray(12, 29));
    bomb.writeUInt32BE(crc, 29);
    assert.match(
      await failure(bomb),
      /photo\.jpg: 60000×60000 = 3600000000 pixels are more than the limit of 178956970.*pixel_limit/,
    );
    for (const small of ['BMP, 24 bits', 'PPM', 'PNG, RGB', 'JPEG, 4:2:0']) {
      assert.match(await failure(encoded(small), 23 * 17 - 1), /23×17 = 391 pixels are more than the limit of 390/);
    }
    assert.match(
      await failure(encoded('JPEG, gray'), 23 * 17 - 1),
      /23×17 = 391 pixels are more than the limit of 390/,
    );
    const picture = await decodeImage({ encoded: encoded('JPEG, gray') }, { pixelLimit: 23 * 17 });
    assert.equal(picture.width, 23);
  });
});
