import assert from 'node:assert/strict';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { decodePng } from '../../../runtime/data/png/decoder.ts';
import { createRandom, type Random } from '../../../runtime/random.ts';
import { anyPng, bytesOf, chunk, filteredRows, type Parts, pngFile, rowBytes } from './encoder.ts';

const byLibrary = (file: Uint8Array): Promise<Buffer> =>
  sharp(file, { ignoreIcc: true, failOn: 'truncated' }).removeAlpha().toColourspace('srgb').raw().toBuffer();

/** 5×3 RGB pixels. */
const small = (changes: Partial<Parts> = {}, filter = 0): Parts => {
  const rows = Buffer.alloc(3 * 16, 7);
  for (let y = 0; y < 3; y++) rows[16 * y] = filter;
  return { width: 5, height: 3, depth: 8, type: 2, data: [deflateSync(rows)], ...changes };
};

/** Bytes changed, cut out, doubled or zeroed. */
function damaged(bytes: Uint8Array, random: Random): Buffer {
  const at = random.integer(bytes.length);
  const end = at + 1 + random.integer(8);
  const [head, piece, tail] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
  switch (random.integer(5)) {
    case 0:
      return Buffer.concat([head, tail]);
    case 1:
      return Buffer.concat([head, piece, piece, tail]);
    case 2:
      return Buffer.concat([head, Buffer.alloc(piece.length), tail]);
    default: {
      const out = Buffer.from(bytes);
      for (let k = 1 + random.integer(3); k > 0; k--) out[random.integer(out.length)] ^= 1 << random.integer(8);
      return out;
    }
  }
}

/** What is decoded here, the library decodes to the same bytes. */
async function agrees(file: Uint8Array, what: string): Promise<boolean> {
  const picture = decodePng(file);
  if (!picture) return false;
  assert.equal(picture.pixels.length, picture.width * picture.height * 3, what);
  assert.ok((await byLibrary(file)).equals(picture.pixels), what);
  return true;
}

describe('PNG', () => {
  it('has the bytes of the library for all colours, depths, filters, blocks, and what stands beside', async () => {
    const random = createRandom(3, 'png');
    const kinds = new Set<string>();
    for (let i = 0; i < 400; i++) {
      const parts = anyPng(random);
      assert.ok(await agrees(pngFile(parts), `file ${i}: ${parts.depth} bits of ${parts.type}`), `file ${i}`);
      kinds.add(`${parts.type} ${parts.depth}`);
    }
    assert.equal(kinds.size, 11);
  });

  it('has the bytes of the library for pictures that it wrote itself', async () => {
    for (const [width, height] of [
      [1, 1],
      [32, 32],
      [210, 150],
    ]) {
      const noise = filteredRows(createRandom(width, 'photograph'), height, width * 4 - 1, [0]);
      for (const options of [{}, { adaptiveFiltering: true }, { palette: true, effort: 1 }]) {
        const photograph = sharp(noise, { raw: { width, height, channels: 4 } }).blur(1.5);
        assert.ok(await agrees(await photograph.clone().png(options).toBuffer(), `${width}×${height}`));
        assert.ok(await agrees(await photograph.removeAlpha().png(options).toBuffer(), `${width}×${height}`));
      }
    }
  });

  it('does not take what is cut off, anywhere', () => {
    const file = pngFile(anyPng(createRandom(8, 'cut')));
    assert.ok(decodePng(file));
    for (let length = 0; length < file.length; length++) {
      assert.equal(decodePng(file.subarray(0, length)), undefined, `${length} of ${file.length} bytes`);
    }
    assert.ok(decodePng(Buffer.concat([file, Buffer.from('more')])), 'what follows the end does not matter');
  });

  it('does not take a file with one bit wrong', () => {
    const file = pngFile(small());
    for (let bit = 0; bit < 8 * file.length; bit++) {
      const wrong = Buffer.from(file);
      wrong[bit >> 3] ^= 1 << (bit & 7);
      assert.equal(decodePng(wrong), undefined, `bit ${bit}`);
    }
  });

  it('leaves to the library what it does not know', async () => {
    const noise = { raw: { width: 9, height: 7, channels: 3 } } as const;
    const photograph = sharp(
      bytesOf(9 * 7 * 3, () => 90),
      noise,
    );
    const palette = chunk('PLTE', Buffer.alloc(6, 50));
    const numbers = [deflateSync(Buffer.from([0, 0b01000000]))];
    const two = { width: 2, height: 1, depth: 1, type: 3, data: numbers };
    const stream = deflateSync(Buffer.alloc(48));
    const left: Record<string, Buffer> = {
      interlaced: await photograph.clone().png({ progressive: true }).toBuffer(),
      '16 bits': await photograph.clone().toColourspace('rgb16').png().toBuffer(),
      'a profile': await photograph.clone().withIccProfile('p3').png().toBuffer(),
      EXIF: await photograph.clone().withMetadata({ orientation: 6 }).png().toBuffer(),
      'an unknown chunk': pngFile(small({ before: [chunk('abCd')] })),
      'an unknown chunk that matters': pngFile(small({ after: [chunk('ABCD')] })),
      'two headers': pngFile(small({ before: [chunk('IHDR', Buffer.from('0000000500000003080200000000', 'hex'))] })),
      'no data': pngFile(small({ data: [] })),
      'data in two places': pngFile(small({ after: [chunk('tEXt', Buffer.from('a\0b')), chunk('IDAT')] })),
      'no palette': pngFile(two),
      'a palette of too many': pngFile({ ...two, before: [chunk('PLTE', Buffer.alloc(9))] }),
      'a palette after the data': pngFile({ ...two, after: [palette] }),
      'transparency before its palette': pngFile({ ...two, before: [chunk('tRNS', Buffer.of(1)), palette] }),
      'a number without colour': pngFile({ ...two, before: [chunk('PLTE', Buffer.alloc(3))] }),
      'a filter that does not exist': pngFile(small({}, 5)),
      'no width': pngFile(small({ width: 0 })),
      'a row too few': pngFile(small({ height: 4 })),
      'a row too many': pngFile(small({ height: 2 })),
      'bytes after the stream': pngFile(small({ data: [stream, Buffer.of(0)] })),
      'much text': pngFile(small({ before: Array.from({ length: 17 }, () => chunk('tEXt', Buffer.from('a\0b'))) })),
    };
    for (const [name, file] of Object.entries(left)) assert.equal(decodePng(file), undefined, name);
    assert.ok(decodePng(pngFile({ ...two, before: [palette] })), 'and takes what differs little');
    assert.ok(decodePng(pngFile(small())));
  });

  it('agrees with the library about any damage whose check sums are mended', async () => {
    const random = createRandom(21, 'damage');
    let taken = 0;
    for (let i = 0; i < 600; i++) {
      const parts = anyPng(random);
      const before = (parts.before ?? []).map((one) => {
        const body = one.subarray(8, -4);
        return random.integer(2) && body.length > 0 ? chunk(one.toString('latin1', 4, 8), damaged(body, random)) : one;
      });
      const whole = Buffer.concat(parts.data);
      const data = random.integer(3) ? [whole] : [damaged(whole, random)];
      taken += Number(await agrees(pngFile({ ...parts, before, data }), `file ${i}`));
    }
    assert.ok(taken > 200 && taken < 500, `${taken} were decoded here`);
  });

  it('decodes no more than the header says', () => {
    const { data, ...header } = small();
    const bomb = deflateSync(Buffer.alloc(64 << 20));
    assert.equal(decodePng(pngFile({ ...header, data: [bomb] })), undefined);
    assert.equal(decodePng(pngFile({ ...header, width: 2000, height: 2000, data })), undefined, 'little data for much');
    assert.equal(decodePng(pngFile({ ...header, width: 65_536, height: 65_536, data: [bomb] })), undefined);
    const nothing = Array.from({ length: 1000 }, () => Buffer.of(0, 0, 0, 255, 255)); // blocks of no bytes
    const long = Buffer.concat([Buffer.of(0x78, 1), ...nothing, data[0].subarray(2)]);
    assert.equal(decodePng(pngFile({ ...header, data: [long] })), undefined, 'much data for little');
    const few = Buffer.concat([Buffer.of(0x78, 1), ...nothing.slice(0, 100), data[0].subarray(2)]);
    assert.ok(decodePng(pngFile({ ...header, data: [few] })));
    const file = pngFile(small());
    assert.equal(decodePng(file, 14), undefined);
    assert.equal(decodePng(file, 15)?.width, 5);
  });

  it('gives pixels that later pictures leave alone', () => {
    const random = createRandom(4, 'alone');
    const files = Array.from({ length: 20 }, () => pngFile(anyPng(random)));
    const pictures = files.map((file) => decodePng(file)!.pixels);
    const copies = pictures.map((pixels) => Buffer.from(pixels));
    for (const file of files) decodePng(file);
    pictures.forEach((pixels, i) => {
      assert.ok(copies[i].equals(pixels));
    });
  });

  it('reads the longest codes, and distances up to the window', async () => {
    const random = createRandom(6, 'codes');
    // numbers of which each is half as frequent as the one before have codes of up to 15 bits
    const skewed = () => Math.min(40, Math.clz32(random.integer(2 ** 32)) + random.integer(2) * 20);
    const bytes = rowBytes(700, 8, 2);
    const rows = Buffer.concat(Array.from({ length: 60 }, () => Buffer.concat([Buffer.of(0), bytesOf(bytes, skewed)])));
    const again = Buffer.concat([rows.subarray(0, 15 * (bytes + 1)), rows.subarray(0, 15 * (bytes + 1)), rows]);
    for (const all of [rows, again]) {
      const data = [deflateSync(all, { level: 9, memLevel: 9 })];
      const file = pngFile({ width: 700, height: all.length / (bytes + 1), depth: 8, type: 2, data });
      assert.ok(await agrees(file, `${all.length} bytes`));
    }
  });
});
