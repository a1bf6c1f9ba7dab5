import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readIdx } from '../../runtime/data/idx.ts';
import { readNpyLabels, readNpyStrings } from '../../runtime/data/npy-values.ts';
import { readPathList } from '../../runtime/data/path-list.ts';
import { readPermutations } from '../../runtime/data/permutations.ts';
import { pickledStrings } from '../../runtime/data/pickled-strings.ts';
import {
  byCodePoint,
  pickStrings,
  type StringTable,
  StringTableBuilder,
  stringAt,
} from '../../runtime/data/string-table.ts';
import { imagesBelow } from '../../runtime/data/walk.ts';
import { temporaryFolder } from './fixtures.ts';
import { npyBytes, npyHeaderBytes, npyTexts } from './npy-bytes.ts';

const texts = (table: StringTable) => Array.from({ length: table.length }, (_, i) => stringAt(table, i));
const bytes = (hex: string) => Buffer.from(hex.replace(/\s/g, ''), 'hex');

describe('string tables', () => {
  it('keep texts of any characters, pick and cut', () => {
    const builder = new StringTableBuilder();
    const all = ['', 'a.jpg', 'ü/é.png', '日本.webp', '😀', 'x'.repeat(100_000)];
    for (const text of all) builder.add(text);
    const table = builder.finish();
    assert.deepEqual(texts(table), all);
    assert.deepEqual(texts(builder.finish(2)), all.slice(0, 2));
    assert.deepEqual(texts(pickStrings(table, Uint32Array.of(4, 2, 2))), ['😀', 'ü/é.png', 'ü/é.png']);
    assert.ok(table.bytes.buffer instanceof SharedArrayBuffer && table.offsets.buffer instanceof SharedArrayBuffer);
  });

  it('take a million paths in the bytes of the paths', () => {
    const builder = new StringTableBuilder();
    for (let i = 0; i < 1_000_000; i++) builder.add(`class/${i}.jpg`);
    const table = builder.finish();
    assert.equal(stringAt(table, 765_432), 'class/765432.jpg');
    assert.equal(table.bytes.length + table.offsets.byteLength, table.offsets[1_000_000] + 4_000_004);
  });

  it('sort by code point, as Python does', () => {
    // U+1F600 lies above U+FF5E, though its surrogates lie below
    assert.deepEqual(['b', 'a', '😀', '～', 'B', 'ab', 'é'].sort(byCodePoint), ['B', 'a', 'ab', 'b', 'é', '～', '😀']);
    assert.equal(byCodePoint('a', 'a'), 0);
  });
});

describe('files of NumPy', () => {
  const { path, remove } = temporaryFolder();
  after(remove);
  const file = (name: string, content: Buffer) => {
    writeFileSync(join(path, name), content);
    return join(path, name);
  };

  it('give paths of str and bytes, in both byte orders', async () => {
    const all = ['a/1.jpg', 'ü/😀.jpg', 'long/'.repeat(20)];
    for (const kind of ['<U', '>U', '|S'] as const) {
      const name = file(`texts${kind.slice(1)}${kind.charCodeAt(0)}.npy`, npyTexts(all, kind));
      assert.deepEqual(texts(await readNpyStrings(name)), all);
    }
  });

  it('give labels of every whole-number type, lists and rows', async () => {
    for (const descr of ['|i1', '<i2', '>i2', '<i4', '>i4', '<i8', '>i8', '<f4', '<f8', '>f8']) {
      const { values, rows, columns } = await readNpyLabels(file('labels.npy', npyBytes(descr, [4], [0, 5, -1, 100])));
      assert.deepEqual([Array.from(values), rows, columns], [[0, 5, -1, 100], 4, 1], descr);
    }
    for (const descr of ['|u1', '|b1']) {
      assert.deepEqual(Array.from((await readNpyLabels(file('l.npy', npyBytes(descr, [2], [0, 1])))).values), [0, 1]);
    }
    const rows = await readNpyLabels(file('rows.npy', npyBytes('<i4', [2, 3], [1, 0, -1, 0, 0, 1])));
    assert.deepEqual([rows.rows, rows.columns, Array.from(rows.values)], [2, 3, [1, 0, -1, 0, 0, 1]]);
  });

  it('are read in pieces', async () => {
    const count = 3_000_000;
    const values = Array.from({ length: count }, (_, i) => i % 1000);
    const read = await readNpyLabels(file('many.npy', npyBytes('<i4', [count], values)));
    assert.deepEqual([read.values[0], read.values[2_345_678], read.values[count - 1]], [0, 678, 999]);
  });

  it('are refused with a reason', async () => {
    const labels = (content: Buffer) => readNpyLabels(file('bad.npy', content));
    await assert.rejects(labels(Buffer.from('hello, this is text')), /bad\.npy is not a \.npy file/);
    await assert.rejects(labels(npyBytes('<i4', [5], [1, 2, 3])), /ends after 3 of 5 values/);
    await assert.rejects(labels(npyBytes('<f4', [2], [1, 1.5])), /value 1 is 1\.5; labels are whole numbers/);
    await assert.rejects(labels(npyBytes('<i8', [1], [2 ** 40])), /whole numbers of 32 bits/);
    await assert.rejects(labels(npyBytes('<i4', [1, 1, 1], [1])), /shape \(1, 1, 1\)/);
    await assert.rejects(labels(npyTexts(['a'])), /values of type U4/);
    await assert.rejects(readNpyStrings(file('n.npy', npyBytes('<i4', [1], [1]))), /not paths/);
    const evil = npyHeaderBytes("<i4', 'x': __import__('os').system('true')", [1]);
    await assert.rejects(labels(evil), /not of a plain array|ends after/);
  });

  it('give permutations that count from 0 or from 1', () => {
    const perms = (values: number[]) => readPermutations(file('perms.npy', npyBytes('<i8', [2, 3], values)));
    assert.deepEqual(
      perms([1, 2, 3, 3, 1, 2]).map((row) => Array.from(row)),
      [
        [0, 1, 2],
        [2, 0, 1],
      ],
    );
    assert.deepEqual(
      perms([0, 1, 2, 2, 0, 1]).map((row) => Array.from(row)),
      [
        [0, 1, 2],
        [2, 0, 1],
      ],
    );
    assert.throws(() => perms([0, 1, 2, 2, 2, 1]), /row 1 is not a permutation of 3 patches/);
    assert.throws(() => perms([0, 1, 2, 7, 0, 1]), /row 1 is not a permutation/);
    const other = (descr: string, values: number[], shape = [2, 3]) =>
      readPermutations(file('perms.npy', npyBytes(descr, shape, values)));
    assert.throws(() => other('<f4', [0, 1, 2, 0.5, 1.5, 2.5]), /row 1 has 0\.5; permutations are of whole numbers/);
    assert.throws(() => other('<i8', [0, 1, 2], [1, 1, 3]), /shape \(1, 1, 3\); expected one permutation per row/);
    assert.throws(() => other('<i8', [0, 1, 2]), /ends before its last permutation/);
    const pickled = npyHeaderBytes('|O', [2, 3]);
    assert.throws(() => readPermutations(file('perms.npy', pickled)), /values of type O/);
    const columns = npyBytes('<i8', [2, 3], [0, 2, 1, 0, 2, 1]);
    columns.write(columns.toString('latin1').replace("'fortran_order': False", "'fortran_order': True "), 'latin1');
    assert.deepEqual(
      readPermutations(file('perms.npy', columns)).map((row) => [...row]),
      [
        [0, 1, 2],
        [2, 0, 1],
      ],
    );
  });
});

describe('pickled lists', () => {
  // what Python's pickle writes for ['a.jpg', 'b/ü.png', 'a.jpg'] with protocols 0 to 5, and the same as NumPy's array of objects
  const lists: Record<string, string> = {
    'protocol 0': '286c70300a56612e6a70670a70310a6156622ffc2e706e670a70320a6167310a612e',
    'protocol 2': '80025d7100285805000000612e6a706771015808000000622fc3bc2e706e6771026801652e',
    'protocol 4': '8004951a000000000000005d94288c05612e6a7067948c08622fc3bc2e706e67946801652e',
  };
  for (const [name, hex] of Object.entries(lists)) {
    it(`of ${name} are read`, () => {
      assert.deepEqual(texts(pickledStrings(bytes(hex), 'list.pkl')), ['a.jpg', 'b/ü.png', 'a.jpg']);
    });
  }

  it('of an array of objects are read', async () => {
    const { path, remove } = temporaryFolder();
    // numpy.save(['a.jpg', 'bb.png'] as dtype object), protocol 3
    const pickle = bytes(
      '8003 636e756d70792e636f72652e6d756c746961727261790a5f7265636f6e7374727563740a 7100 636e756d70790a6e6461727261790a 7101 4b00 85 7102 430162 7103 87 7104 52 7105 28 4b01 4b02 85 7106 636e756d70790a64747970650a 7107 5802000000 4f38 7108 89 88 87 7109 52 710a 28 4b03 5801000000 7c 710b 4e 4e 4e 4affffffff 4affffffff 4b3f 74 710c 62 89 5d 710d 28 5805000000 612e6a7067 710e 5806000000 62622e706e67 710f 65 74 7110 62 2e',
    );
    writeFileSync(join(path, 'o.npy'), Buffer.concat([npyHeaderBytes('|O', [2]), pickle]));
    assert.deepEqual(texts(await readNpyStrings(join(path, 'o.npy'))), ['a.jpg', 'bb.png']);
    await remove();
  });

  it('are refused when they ask for anything to be executed, or hold anything else', () => {
    const read = (hex: string) => () => pickledStrings(bytes(hex), 'list.pkl');
    // os.system('true'): GLOBAL, text, tuple, REDUCE
    assert.throws(
      read('8002 636f730a73797374656d0a 5804000000 74727565 85 52 2e'),
      /asks for Python's os\.system, and nothing in a file is executed/,
    );
    assert.throws(read('8004 8c026f73 8c0673797374656d 93 2e'), /asks for Python's os\.system/);
    assert.throws(read('8002 7d 2e'), /not a list of str/);
    assert.throws(read('8002 5d 4b01 61 2e'), /entry 0 is not a str/);
    assert.throws(read('8002 4b01 2e'), /not a list of str/);
    assert.throws(read('8002 5d 5805000000 6161'), /ends within its pickle/);
    assert.throws(read('8002 61 2e'), /list\.pkl is not a valid pickle/);
    assert.throws(read('8002 68 05 2e'), /list\.pkl is not a valid pickle/);
  });

  it('that are damaged anywhere are read or refused, never worse', () => {
    const good = bytes(lists['protocol 4']);
    for (let i = 0; i < good.length; i++) {
      for (const value of [0, 0x2e, 0x80, 0xff, good[i] ^ 1]) {
        const damaged = Buffer.from(good);
        damaged[i] = value;
        try {
          pickledStrings(damaged, 'list.pkl');
        } catch (error) {
          assert.match((error as Error).message, /list\.pkl/);
        }
      }
    }
  });
});

describe('lists of paths', () => {
  const { path, remove } = temporaryFolder();
  after(remove);
  const read = async (name: string, content: string) => {
    writeFileSync(join(path, name), content);
    const { paths, labels, classes } = await readPathList(join(path, name));
    return { paths: texts(paths), ...(labels ? { labels: Array.from(labels) } : {}), ...(classes ? { classes } : {}) };
  };

  it('are read from text, with labels or without', async () => {
    assert.deepEqual(await read('a.txt', 'a b.jpg\n\nc.jpg\r\n'), { paths: ['a b.jpg', 'c.jpg'] });
    assert.deepEqual(await read('b.txt', 'a b.jpg 3\nc.jpg  -1\n'), { paths: ['a b.jpg', 'c.jpg'], labels: [3, -1] });
    assert.deepEqual(await read('c.txt', 'x y.jpg\tdog\nz.jpg\tcat\n'), {
      paths: ['x y.jpg', 'z.jpg'],
      labels: [1, 0],
      classes: ['cat', 'dog'],
    });
  });

  it('are read in blocks: lines and characters on their borders are whole', async () => {
    const names = Array.from({ length: 120_000 }, (_, i) => `日本/é${'x'.repeat(i % 13)}/${i}.jpg`);
    const text = `\ufeff${names.map((name, i) => `${name} ${i % 7}`).join('\r\n')}`;
    assert.ok(Buffer.byteLength(text) > 3 * 2 ** 20);
    assert.deepEqual(await read('large.txt', text), { paths: names, labels: names.map((_, i) => i % 7) });
    assert.deepEqual(await read('large.csv', names.join('\n')), { paths: names });
  });

  it('take for a label only a number behind a space; other texts stay names', async () => {
    assert.deepEqual(await read('d.txt', 'img 12\nimg-3 4\n'), { paths: ['img', 'img-3'], labels: [12, 4] });
    assert.deepEqual(await read('e.txt', 'img12\n7\na 1b\n-3\n'), { paths: ['img12', '7', 'a 1b', '-3'] });
    assert.deepEqual(await read('f.csv', 'a.jpg,007\nb.jpg,7\nc.jpg,x\n'), {
      paths: ['a.jpg', 'b.jpg', 'c.jpg'],
      labels: [0, 1, 2],
      classes: ['007', '7', 'x'],
    });
    assert.deepEqual(await read('g.csv', 'a.jpg,007\nb.jpg,7\n'), { paths: ['a.jpg', 'b.jpg'], labels: [7, 7] });
  });

  it('are read from CSV, with names of columns or without', async () => {
    assert.deepEqual(await read('a.csv', '\ufeffpath,label\n"a,""b"".jpg",1\nc.jpg,0\n'), {
      paths: ['a,"b".jpg', 'c.jpg'],
      labels: [1, 0],
    });
    assert.deepEqual(await read('b.csv', 'filenames,embedding_0,labels\na.jpg,0.5,2\n'), {
      paths: ['a.jpg'],
      labels: [2],
    });
    assert.deepEqual(await read('c.csv', 'a.jpg\nb.jpg\n'), { paths: ['a.jpg', 'b.jpg'] });
  });

  it('are read from JSON: texts, pairs, objects', async () => {
    assert.deepEqual(await read('a.json', '["a.jpg", "b.jpg"]'), { paths: ['a.jpg', 'b.jpg'] });
    assert.deepEqual(await read('b.json', '[["a.jpg", 2], ["b.jpg", 0]]'), {
      paths: ['a.jpg', 'b.jpg'],
      labels: [2, 0],
    });
    assert.deepEqual(await read('c.json', '[{"path": "a.jpg", "label": "x"}]'), {
      paths: ['a.jpg'],
      labels: [0],
      classes: ['x'],
    });
  });

  it('are refused with file, entry and reason', async () => {
    await assert.rejects(read('d.json', '{"a": 1}'), /d\.json is not a list/);
    await assert.rejects(read('e.json', '["a.jpg", 5]'), /e\.json: entry 1 is not a path: 5/);
    await assert.rejects(read('f.json', '["a.jpg"'), /f\.json is not valid JSON/);
    await assert.rejects(read('g.json', '[["a.jpg", 1], "b.jpg"]'), /entry 1 has no label, unlike those before/);
    await assert.rejects(read('h.txt', '\n'), /h\.txt is empty/);
    await assert.rejects(read('i.xml', ''), /the format of a list is told by its suffix/);
  });
});

describe('IDX files', () => {
  const { path, remove } = temporaryFolder();
  after(remove);
  const idx = (sizes: number[], values: number[]) => {
    const head = Buffer.alloc(4 + 4 * sizes.length);
    head[2] = 8;
    head[3] = sizes.length;
    for (const [i, size] of sizes.entries()) head.writeUInt32BE(size, 4 + 4 * i);
    return Buffer.concat([head, Buffer.from(values)]);
  };
  const read = (content: Buffer) => {
    writeFileSync(join(path, 'x'), content);
    return readIdx(join(path, 'x'));
  };

  it('are read, packed or not', async () => {
    const content = idx([2, 1, 3], [1, 2, 3, 4, 5, 6]);
    for (const form of [content, gzipSync(content)]) {
      const { sizes, bytes } = await read(form);
      assert.deepEqual(
        [sizes, Array.from(bytes)],
        [
          [2, 1, 3],
          [1, 2, 3, 4, 5, 6],
        ],
      );
    }
  });

  it('are refused with a reason', async () => {
    await assert.rejects(read(Buffer.from('GIF89a')), /not an IDX file/);
    await assert.rejects(read(idx([4], [1, 2])), /has 2 values; 4 = 4 are announced/);
    await assert.rejects(read(Buffer.from([0, 0, 13, 1, 0, 0, 0, 1, 0])), /type 13; only unsigned bytes/);
    await assert.rejects(read(Buffer.from([0, 0, 8, 3, 0])), /ends within its header/);
    await assert.rejects(read(gzipSync(idx([1], [1])).subarray(0, 15)), /cannot be unpacked/);
  });
});

describe('walking a folder', () => {
  it('finds images in the order of torchvision, follows links, and no circles', async () => {
    const { path, remove } = temporaryFolder();
    for (const name of ['b/2.JPG', 'b/10.png', 'a-x/1.jpg', 'a/1.jpg', 'a/note.txt', 'a/.hidden.jpg', '0.webp']) {
      mkdirSync(join(path, name, '..'), { recursive: true });
      writeFileSync(join(path, name), '');
    }
    symlinkSync(path, join(path, 'b', 'loop'));
    symlinkSync(join(path, 'a'), join(path, 'c'));
    symlinkSync(join(path, 'nowhere'), join(path, 'broken.jpg'));
    symlinkSync(join(path, 'a', '1.jpg'), join(path, 'z.jpg'));
    const found = await imagesBelow(path, new AbortController().signal);
    assert.deepEqual(found, ['0.webp', 'z.jpg', 'a/1.jpg', 'a-x/1.jpg', 'b/10.png', 'b/2.JPG', 'c/1.jpg']);
    const stopped = AbortSignal.abort(new Error('stop'));
    await assert.rejects(imagesBelow(path, stopped), /stop/);
    await remove();
  });
});
