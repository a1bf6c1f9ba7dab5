import assert from 'node:assert/strict';
import { join } from 'node:path';
import { extendEmbeddings } from '../../runtime/lightly/extend-embeddings.ts';
import { loadEmbeddings } from '../../runtime/lightly/load-embeddings.ts';
import { saveEmbeddings } from '../../runtime/lightly/save-embeddings.ts';
import { temporaryFolder } from '../data/fixtures.ts';

describe('columns added to embeddings', () => {
  const { path, remove } = temporaryFolder();
  after(remove);

  it('follow those that are there, in order and side by side', async () => {
    const file = join(path, 'embeddings.csv');
    const two = { rows: 2, columns: 2, data: Float32Array.of(1, 2, 3, 4) };
    await saveEmbeddings(file, two, [0, 1], ['a.jpg', 'b.jpg']);
    const { embeddings, labels, filenames } = await loadEmbeddings(file);
    const more = { rows: 2, columns: 1, data: Float32Array.of(0.5, 0.25) };
    await saveEmbeddings(file, extendEmbeddings(embeddings, more), labels, filenames);
    const extended = await loadEmbeddings(file);
    assert.deepEqual(extended.header, ['filenames', 'embedding_0', 'embedding_1', 'embedding_2', 'labels']);
    assert.deepEqual(Array.from(extended.embeddings.data), [1, 2, 0.5, 3, 4, 0.25]);
    assert.deepEqual(
      [extended.labels, extended.filenames],
      [
        [0, 1],
        ['a.jpg', 'b.jpg'],
      ],
    );
  });

  it('have as many rows', () => {
    const matrix = (rows: number) => ({ rows, columns: 1, data: new Float32Array(rows) });
    assert.throws(() => extendEmbeddings(matrix(2), matrix(3)), /2 embeddings cannot take columns of 3 rows/);
  });
});
