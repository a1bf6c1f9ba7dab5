import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { openSafetensors, type TensorSource, writeSafetensors } from '../../runtime/train/safetensors.ts';
import { withFolder } from '../engine/fixtures/graph.ts';

const floats = (name: string, shape: number[], values: number[]): TensorSource => ({
  name,
  dtype: 'F32',
  shape,
  read: () => Float32Array.from(values),
});

/** A file with this header and data. */
async function file(folder: string, header: unknown, data: Uint8Array, length?: bigint): Promise<string> {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length ?? BigInt(json.length));
  const path = join(folder, 'x.safetensors');
  await writeFile(path, Buffer.concat([size, json, data]));
  return path;
}

describe('safetensors', () => {
  it('writes the format byte by byte', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.safetensors');
      const written = await writeSafetensors(path, [floats('b', [2], [1, -2]), floats('a', [], [0.5])], {
        format: 'pt',
      });
      const bytes = await readFile(path);
      const length = Number(bytes.readBigUInt64LE(0));
      assert.equal(length % 8, 0);
      assert.deepEqual(JSON.parse(bytes.subarray(8, 8 + length).toString()), {
        __metadata__: { format: 'pt' },
        a: { dtype: 'F32', shape: [], data_offsets: [0, 4] },
        b: { dtype: 'F32', shape: [2], data_offsets: [4, 12] },
      });
      assert.equal(bytes.subarray(8 + length).toString('hex'), '0000003f0000803f000000c0');
      assert.deepEqual(written, {
        bytes: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      });
    }));

  it('reads what it wrote, whatever the tensors', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'p.safetensors');
      const tensor = fc.record({
        shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
        dtype: fc.constantFrom('F32' as const, 'I32' as const, 'U8' as const),
        seed: fc.nat(255),
      });
      await fc.assert(
        fc.asyncProperty(fc.dictionary(fc.string({ minLength: 1 }), tensor, { maxKeys: 6 }), async (tensors) => {
          const sources = Object.entries(tensors)
            .filter(([name]) => name !== '__metadata__')
            .map(([name, { shape, dtype, seed }]): TensorSource & { values: Uint8Array } => {
              const size = shape.reduce((a, b) => a * b, 1);
              const numbers = Array.from({ length: size }, (_, i) => seed + i);
              const array =
                dtype === 'F32'
                  ? Float32Array.from(numbers)
                  : dtype === 'I32'
                    ? Int32Array.from(numbers)
                    : Uint8Array.from(numbers);
              return { name, dtype, shape, read: () => array, values: new Uint8Array(array.buffer) };
            });
          await writeSafetensors(path, sources);
          const opened = await openSafetensors(path);
          try {
            assert.equal(opened.tensors.size, sources.length);
            for (const { name, dtype, shape, values } of sources) {
              const info = opened.tensors.get(name)!;
              assert.deepEqual([info.dtype, info.shape], [dtype, shape]);
              assert.deepEqual(await opened.read(name), values);
            }
          } finally {
            await opened.close();
          }
        }),
        { numRuns: 40 },
      );
    }));

  it('converts half precision to float32', () =>
    withFolder(async (folder) => {
      const header = {
        half: { dtype: 'F16', shape: [5], data_offsets: [0, 10] },
        brain: { dtype: 'BF16', shape: [2], data_offsets: [10, 14] },
      };
      // 1, -2, 2^-24 (smallest subnormal), 65504 (largest), -infinity; 1.0, 3.140625
      const data = Buffer.from(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0xfc00, 0x3f80, 0x4049).buffer);
      const opened = await openSafetensors(await file(folder, header, data));
      assert.deepEqual([...(await opened.readFloats('half'))], [1, -2, 2 ** -24, 65504, Number.NEGATIVE_INFINITY]);
      assert.deepEqual([...(await opened.readFloats('brain'))], [1, 3.140625]);
      await opened.close();
    }));

  const bad: [string, unknown, number, RegExp, bigint?][] = [
    ['a header longer than the file', {}, 0, /header would have 1000000 bytes, the file has/, 1_000_000n],
    ['a header of terabytes', {}, 0, /header would have 18446744073709551615 bytes/, 2n ** 64n - 1n],
    ['a header that is not JSON', '{"a":', 0, /header is not JSON/],
    ['a header that is a list', [], 0, /header is not an object/],
    ['an unknown dtype', { a: { dtype: 'F99', shape: [1], data_offsets: [0, 4] } }, 4, /a has the unknown dtype "F99"/],
    [
      'a dtype of Object.prototype',
      { a: { dtype: 'constructor', shape: [1], data_offsets: [0, 4] } },
      4,
      /unknown dtype/,
    ],
    ['a negative size', { a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, 4, /shape \[-1\]/],
    [
      'a shape that does not fit its bytes',
      { a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } },
      4,
      /takes 8 bytes, not 4/,
    ],
    [
      'a shape whose size overflows',
      { a: { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 4] } },
      4,
      /takes 4\.8\d*e\+24 bytes/,
    ],
    [
      'offsets beyond the file',
      { a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } },
      4,
      /ends at byte 8 of the data, which has 4/,
    ],
    [
      'offsets in the wrong order',
      { a: { dtype: 'F32', shape: [0], data_offsets: [4, 0] } },
      4,
      /data_offsets \[4,0\]/,
    ],
    [
      'tensors that overlap',
      { a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] }, b: { dtype: 'F32', shape: [1], data_offsets: [4, 8] } },
      8,
      /b overlaps the one before it/,
    ],
    [
      'bytes that belong to nothing',
      { a: { dtype: 'F32', shape: [1], data_offsets: [4, 8] } },
      8,
      /4 bytes before tensor a/,
    ],
    [
      'bytes behind the last tensor',
      { a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } },
      8,
      /end at byte 4 of the data, which has 8/,
    ],
    ['metadata that is no text', { __metadata__: { a: 1 } }, 0, /__metadata__\.a is not a string/],
  ];
  for (const [what, header, bytes, message, length] of bad) {
    it(`refuses ${what}`, () =>
      withFolder(async (folder) => {
        const path = await file(folder, header, new Uint8Array(bytes), length);
        await assert.rejects(openSafetensors(path), (error: Error) => {
          assert.equal(error.name, 'SafetensorsError');
          assert.match(error.message, message);
          assert.ok(error.message.startsWith(path));
          return true;
        });
      }));
  }

  it('refuses a file that is shorter than a header', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'short'), 'abc');
      await assert.rejects(openSafetensors(join(folder, 'short')), /it has 3 bytes/);
    }));

  it('keeps names that objects treat specially', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'p.safetensors');
      await writeSafetensors(path, [floats('__proto__', [1], [7]), floats('constructor', [1], [8])]);
      const opened = await openSafetensors(path);
      assert.deepEqual([...(await opened.readFloats('__proto__'))], [7]);
      assert.deepEqual([...opened.tensors.keys()], ['__proto__', 'constructor']);
      await opened.close();
    }));

  it('refuses to write two tensors of one name, or data of another size', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'p.safetensors');
      await assert.rejects(
        writeSafetensors(path, [floats('a', [1], [1]), floats('a', [1], [1])]),
        /two tensors are named a/,
      );
      await assert.rejects(writeSafetensors(path, [floats('a', [2], [1])]), /a has 4 bytes; shape \[2\].* ask for 8/);
    }));
});
