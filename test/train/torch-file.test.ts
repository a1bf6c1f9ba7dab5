import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TorchFileError } from '../../runtime/train/torch-file/error.ts';
import { openTorchFile } from '../../runtime/train/torch-file/open.ts';
import { stateDict } from '../../runtime/train/torch-file/state-dict.ts';
import { TorchStorage, TorchTensor } from '../../runtime/train/torch-file/tensors.ts';
import { unpickle } from '../../runtime/train/torch-file/unpickle.ts';
import { type PyDict, PyObject, type PyTuple, type PyValue } from '../../runtime/train/torch-file/values.ts';
import { openTorchWeights } from '../../runtime/train/torch-file/weights.ts';
import { type TorchSource, writeTorchFile } from '../../runtime/train/torch-file/write.ts';

const CASES = join('test', 'oracles', 'cases', 'checkpoints');
const NOTHING = {
  call: () => undefined,
  persistent: (): PyValue => {
    throw new TorchFileError('no storages here');
  },
};

const python = (text: string): PyValue => unpickle(Buffer.from(text, 'latin1'), 'x.pkl', NOTHING).value;

describe('files of PyTorch', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pipe-torch-'));
  });
  after(() => rm(folder, { recursive: true }));

  const tensors: readonly TorchSource[] = [
    { name: 'a.weight', dtype: 'float32', shape: [2, 3], read: () => Float32Array.of(1, 2, 3, 4, 5, 6) },
    { name: 'n', dtype: 'int64', shape: [], read: () => BigInt64Array.of(1234567890123n) },
    { name: 'naïve', dtype: 'bool', shape: [3], read: () => Uint8Array.of(1, 0, 1) },
    { name: 'empty', dtype: 'float32', shape: [0, 3], read: () => new Float32Array(0) },
  ];

  it('are written as PyTorch reads them', async () => {
    const path = join(folder, 'mine.torch');
    await writeTorchFile(path, tensors, ['model'], { matching_heuristics: true });
    // this very file was read by torch.load of PyTorch 2.13, with weights_only and mapped into memory too
    const hash = createHash('sha256').update(await readFile(path));
    assert.equal(hash.digest('hex'), 'fb32f72fd6fd3697b9eb5305fe95acec6a7f93a4e2826af3229799c1fb3fbe37');
  });

  it('written are read: values, entries beside them, the layout of the data', async () => {
    const path = join(folder, 'again.torch');
    await writeTorchFile(path, tensors, ['outer', 'model'], { author: 'me' });
    const file = await openTorchFile(path);
    const outer = (file.value as PyDict).get('outer') as PyDict;
    assert.equal(outer.get('author'), 'me');
    const model = outer.get('model') as PyDict;
    assert.deepEqual([...model.entries.keys()], ['a.weight', 'n', 'naïve', 'empty']);
    const read = async (name: string) => [...(await (model.get(name) as TorchTensor).values())];
    assert.deepEqual(await read('a.weight'), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(await read('n'), [1234567890123n]);
    assert.deepEqual(await read('naïve'), [1, 0, 1]);
    assert.deepEqual(await read('empty'), []);
    await file.close();
    const bytes = await readFile(path);
    const start = bytes.indexOf(Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer));
    assert.equal(start % 64, 0);
  });

  it('are refused when a tensor has other bytes than its shape says', async () => {
    const wrong: TorchSource = { name: 'w', dtype: 'float32', shape: [2], read: () => new Float32Array(3) };
    await assert.rejects(writeTorchFile(join(folder, 'x.torch'), [wrong]), /w has 12 bytes instead of 8/);
  });

  it('give the weights of the model wherever VISSL keeps them', async () => {
    for (const name of ['small_checkpoint', 'small_checkpoint_legacy', 'small_checkpoint_protocol4']) {
      const file = await openTorchWeights(join(CASES, `${name}.torch`));
      assert.ok(file.names.includes('trunk._feature_blocks.conv1.weight'));
      assert.ok(file.names.includes('heads.0.clf.0.bias'));
      assert.ok(!file.names.some((other) => other.includes('momentum_buffer')));
      const { shape, values } = await file.read('trunk._feature_blocks.transposed');
      assert.deepEqual([shape, values[1]], [[6, 4], Math.fround(0.31319478)]);
      const half = await file.read('trunk._feature_blocks.half');
      assert.ok(half.values instanceof Float32Array);
      await file.close();
    }
  });

  it('of hostile hands run nothing: a call is a record', () => {
    const value = python("cos\nsystem\n(S'touch /tmp/pipe-was-here'\ntR.");
    assert.ok(value instanceof PyObject);
    assert.deepEqual([value.type, value.args], ['os.system', ['touch /tmp/pipe-was-here']]);
    for (const name of ['__proto__.polluted', 'constructor.prototype', 'toString.x']) {
      const [module, own] = name.split('.');
      assert.ok(python(`c${module}\n${own}\n)R.`) instanceof PyObject);
    }
    const dict = python("}S'__proto__'\nS'x'\ns.") as PyDict;
    assert.deepEqual([...dict.entries], [['__proto__', 'x']]);
    assert.equal(({} as Record<string, unknown>).x, undefined);
  });

  it('may hold themselves', () => {
    const list = python(']q\x00h\x00a.') as PyValue[];
    assert.equal(list[0], list);
    const value = python(']q\x00h\x00a.');
    assert.throws(() => stateDict(value, 'x.pkl'), /holds no tensors/);
  });

  it('with instructions that are wrong say where', () => {
    const cases: readonly [string, RegExp][] = [
      ['.', /a value is missing/],
      ['e.', /a mark is missing/],
      ['h\x05.', /no earlier value 5/],
      ['\x80\x09.', /protocol 9 is not known/],
      ['K\x01K\x02s.', /a value is missing/],
      ['K\x01(K\x02K\x03u.', /no dict/],
      ['\x82\x01.', /0x82 is not known/],
      ['X\xff\xff\xff\x7fab.', /ends within its pickle/],
      ['Labc\n.', /"abc" is no integer/],
    ];
    for (const [text, message] of cases) assert.throws(() => python(text), message);
    assert.deepEqual((python('I1\nL-5L\nF2.5\n\x87.') as PyTuple).items, [1, -5, 2.5]);
  });

  it('whose tensors reach beyond their storage, or are made huge by strides of 0, are refused', async () => {
    const storage = new TorchStorage('0', 'float32', 16, async () => new Uint8Array(16));
    const facts = { dtype: 'float32' as const, storage, offset: 0, requiresGrad: false, isParameter: false };
    assert.throws(() => new TorchTensor({ ...facts, shape: [5], stride: [1] }), /reaches beyond its storage/);
    assert.throws(() => new TorchTensor({ ...facts, shape: [2], stride: [1], offset: 3 }), /reaches beyond/);
    assert.throws(() => new TorchTensor({ ...facts, shape: [-1], stride: [1] }), /-1 among its sizes/);
    assert.throws(() => new TorchTensor({ ...facts, shape: [2 ** 40], stride: [2 ** 40] }), /among its sizes|beyond/);
    const huge = new TorchTensor({ ...facts, shape: [2 ** 40], stride: [0] });
    await assert.rejects(huge.values(), /far larger than its 16 bytes/);
  });

  it('that are something else say what', async () => {
    const path = join(folder, 'other.torch');
    const refused = async (bytes: Buffer, message: RegExp) => {
      await writeFile(path, bytes);
      await assert.rejects(openTorchFile(path), (error: Error) => {
        assert.ok(error instanceof TorchFileError);
        assert.match(error.message, message);
        return true;
      });
    };
    await refused(Buffer.from('<html>not found</html>'), /no PyTorch file.*download that failed/);
    await refused(Buffer.alloc(0), /is empty/);
    await refused(Buffer.from('PK\x03\x04 and no end'), /cut off: its zip directory is missing/);
    const whole = await readFile(join(CASES, 'small_checkpoint.torch'));
    await refused(whole.subarray(0, whole.length - 200), /cut off|damaged/);
    const legacy = await readFile(join(CASES, 'small_checkpoint_legacy.torch'));
    await refused(legacy.subarray(0, legacy.length - 50), /cut off/);
    await refused(legacy.subarray(0, 300), /ends within its pickle/);
  });

  it('damaged anywhere either are read or refused in words', async () => {
    const path = join(folder, 'mutant.torch');
    for (const name of ['small_checkpoint_legacy', 'small_checkpoint', 'other_classes']) {
      const bytes = await readFile(join(CASES, `${name}.torch`));
      let refusals = 0;
      for (let i = 0; i < 150; i++) {
        const mutant = Buffer.from(bytes);
        const at = (i * 7919) % bytes.length;
        mutant[at] ^= 1 << (i % 8);
        await writeFile(path, mutant);
        try {
          const file = await openTorchFile(path);
          try {
            for (const tensor of stateDict(file.value, path)) await tensor.values();
          } finally {
            await file.close();
          }
        } catch (error) {
          assert.ok(error instanceof TorchFileError, `byte ${at} of ${name}: ${(error as Error).stack}`);
          refusals++;
        }
      }
      assert.ok(refusals > 0);
    }
  });
});
