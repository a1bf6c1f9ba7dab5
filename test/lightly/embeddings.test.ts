import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { checkEmbeddings } from '../../runtime/lightly/check-embeddings.ts';
import { headerWarnings } from '../../runtime/lightly/embeddings-header.ts';
import { loadEmbeddings } from '../../runtime/lightly/load-embeddings.ts';
import { loadEmbeddingsAsDict } from '../../runtime/lightly/load-embeddings-as-dict.ts';
import { saveEmbeddings } from '../../runtime/lightly/save-embeddings.ts';
import { testFolder } from './folder.ts';

describe('embeddings files', () => {
  const path = testFolder();
  const given = (text: string): string => {
    writeFileSync(path('e.csv'), text);
    return path('e.csv');
  };

  it('save what load gives back, bit by bit, whatever the names and numbers', async () => {
    const names = fc.string({ unit: 'grapheme' }).filter((name) => !name.includes('\uFFFD'));
    const rows = fc.record({ name: names, label: fc.integer(), values: fc.tuple(fc.float(), fc.float(), fc.float()) });
    await fc.assert(
      fc.asyncProperty(fc.array(rows, { minLength: 1, maxLength: 8 }), async (samples) => {
        const data = Float32Array.from(samples.flatMap(({ values }) => values));
        const [labels, filenames] = [samples.map(({ label }) => label), samples.map(({ name }) => name)];
        await saveEmbeddings(path('r.csv'), { data, rows: samples.length, columns: 3 }, labels, filenames);
        const table = await loadEmbeddings(path('r.csv'));
        assert.deepEqual(table.embeddings, { data, rows: samples.length, columns: 3 });
        assert.deepEqual([table.labels, table.filenames], [labels, filenames]);
      }),
      { numRuns: 150 },
    );
  });

  it('load float32 unless float64 is asked for', async () => {
    const file = given('filenames,embedding_0,labels\r\na,0.1,2\r\n');
    assert.equal((await loadEmbeddings(file)).embeddings.data[0], Math.fround(0.1));
    assert.equal((await loadEmbeddings(file, { precision: 'float64' })).embeddings.data[0], 0.1);
    const { dict, table } = await loadEmbeddingsAsDict(file, { embeddingName: 'mine', precision: 'float64' });
    assert.deepEqual(dict, { embeddingName: 'mine', embeddings: [{ fileName: 'a', value: [0.1], label: 2 }] });
    assert.deepEqual(table.header, ['filenames', 'embedding_0', 'labels']);
  });

  it('read numbers and labels as Python does', async () => {
    const file = given('filenames,embedding_0,labels\na, 1_0.5e1 ,+1_0\nb,-Infinity, -7 \nc,nan,0\nd,.5,1\ne,5.,1\n');
    const { embeddings, labels } = await loadEmbeddings(file);
    assert.deepEqual(Array.from(embeddings.data), [105, Number.NEGATIVE_INFINITY, Number.NaN, 0.5, 5]);
    assert.deepEqual(labels, [10, -7, 0, 1, 1]);
  });

  const faults: readonly (readonly [string, string, RegExp])[] = [
    ['blanks', 'filenames,embedding_0 ,labels\n', /column 2 of the header, "embedding_0 ", has blanks.*Remove/],
    ['a byte order mark', '\uFEFFfilenames,embedding_0,labels\n', /byte order mark.*UTF-8/],
    ['another first column', 'names,embedding_0,labels\n', /first column is "names".*must be "filenames"/],
    ['no labels', 'filenames,embedding_0\n', /no column "labels".*Add it/],
    ['a stranger among embeddings', 'filenames,embedding_0,mean,labels\n', /column "mean" stands among/],
    ['an empty row', 'filenames,embedding_0,labels\na,1,2\n\n', /row 2 after the header is empty.*Remove/],
    ['an empty file', '', /the file is empty/],
    ['a short row', 'filenames,embedding_0,labels\na,1\n', /row 1 after the header has 2 cells, the header 3/],
    ['a word', 'filenames,embedding_0,labels\na,b,1\n', /row 1, column "embedding_0": "b" is not a number/],
    ['hexadecimal', 'filenames,embedding_0,labels\na,0x10,1\n', /"0x10" is not a number/],
    ['a missing number', 'filenames,embedding_0,labels\na,,1\n', /"" is not a number/],
    ['a label with a point', 'filenames,embedding_0,labels\na,1,2.0\n', /row 1: the label "2.0" is not a whole number/],
    ['a label beyond a double', 'filenames,embedding_0,labels\na,1,99999999999999999999\n', /is not a whole number/],
    ['a stray quote', 'filenames,embedding_0,labels\n"a"b,1,2\n', /not a CSV file.*double those that belong/],
    ['open quotes', 'filenames,embedding_0,labels\n"a,1,2\n', /not a CSV file.*Close open quotes/],
  ];
  for (const [what, text, message] of faults) {
    it(`name ${what}`, async () => {
      const file = given(text);
      await assert.rejects(loadEmbeddings(file), (error: Error) => {
        assert.equal(error.name, 'EmbeddingsError');
        assert(error.message.startsWith(`${file}: `));
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('name a file that is missing, a folder, and bytes that are not UTF-8', async () => {
    await assert.rejects(loadEmbeddings(path('none.csv')), /none.csv: there is no such file. Check the path/);
    await assert.rejects(loadEmbeddings(dirname(path('x'))), /it is a folder/);
    writeFileSync(path('l1.csv'), Buffer.from('filenames,embedding_0,labels\n\xe9.jpg,1,2\n', 'latin1'));
    await assert.rejects(loadEmbeddings(path('l1.csv')), /file name in row 1 is not UTF-8/);
  });

  it('lose additional columns only when told to, whole or not at all', async () => {
    const text = 'filenames,embedding_0,masked,labels,note\n"a,b",1,0,3,"x\ny"\n';
    const file = given(text);
    await checkEmbeddings(file);
    assert.equal(readFileSync(file, 'utf8'), text);
    await checkEmbeddings(file, { removeAdditionalColumns: true });
    assert.equal(readFileSync(file, 'utf8'), 'filenames,embedding_0,labels\r\n"a,b",1,3\r\n');
    assert.deepEqual(readdirSync(dirname(file)), ['e.csv']);
  });

  it('are not begun when lengths differ', async () => {
    const matrix = { data: new Float32Array(4), rows: 2, columns: 2 };
    const save = saveEmbeddings(path('n.csv'), matrix, [1], ['a', 'b']);
    await assert.rejects(save, /2 embeddings, 1 labels and 2 file names/);
    assert(!existsSync(path('n.csv')));
  });

  it('warn of what would be read by position as something else', () => {
    assert.deepEqual(headerWarnings(['filenames', 'embedding_0', 'embedding_1', 'labels']), []);
    assert.deepEqual(headerWarnings(['filenames', 'labels', 'embedding_1']), [
      'the last column is "embedding_1", and is read as the labels',
      'column "labels" is read as a part of the embedding',
      '"embedding_1" stands where embedding_0 should: the columns are not numbered in order',
    ]);
  });

  it('of any size are read in pieces: 20,000 rows, a first row shorter than the rest', async () => {
    const [rows, columns] = [20_000, 4];
    const data = Float32Array.from({ length: rows * columns }, (_, i) => (i < columns ? 0 : Math.sin(i)));
    const names = Array.from({ length: rows }, (_, i) => (i === 0 ? 'a' : `folder/image-${i}.jpg`));
    await saveEmbeddings(path('big.csv'), { data, rows, columns }, new Int32Array(rows).fill(3), names);
    const table = await loadEmbeddings(path('big.csv'));
    assert.deepEqual(table.embeddings.data, data);
    assert.equal(table.filenames.at(-1), names.at(-1));
  });
});
