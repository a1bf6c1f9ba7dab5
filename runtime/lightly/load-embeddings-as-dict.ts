import { type EmbeddingTable, type LoadEmbeddingsOptions, loadEmbeddings } from './load-embeddings.ts';
import { rowOf } from './matrix.ts';

/** Embeddings in the form that is sent to other programs as JSON. */
export interface EmbeddingDict {
  readonly embeddingName: string;
  readonly embeddings: readonly { readonly fileName: string; readonly value: number[]; readonly label: number }[];
}

export interface LoadAsDictOptions extends LoadEmbeddingsOptions<'float32' | 'float64'> {
  /** should differ between the embeddings of one dataset; default "default" */
  readonly embeddingName?: string;
}

/**
 * An embeddings CSV as a plain object (lightly.utils.io.load_embeddings_as_dict), and the table itself, which lightly
 * gives with `return_all`. Throws an EmbeddingsError.
 */
export async function loadEmbeddingsAsDict(
  path: string,
  { embeddingName = 'default', precision }: LoadAsDictOptions = {},
): Promise<{ dict: EmbeddingDict; table: EmbeddingTable<Float32Array | Float64Array> }> {
  const table = await loadEmbeddings<'float32' | 'float64'>(path, { precision });
  const embeddings = table.filenames.map((fileName, i) => ({
    fileName,
    value: Array.from(rowOf(table.embeddings, i)),
    label: table.labels[i],
  }));
  return { dict: { embeddingName, embeddings }, table };
}
