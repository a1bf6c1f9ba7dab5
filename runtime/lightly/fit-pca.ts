import { createRandom } from '../random.ts';
import { type Matrix, rowOf } from './matrix.ts';
import { Pca } from './pca.ts';

export interface FitPcaOptions {
  /** default 2 */
  readonly components?: number;
  /** share of the rows to fit to, in (0, 1]; default all. 0, which older lightly versions let pass, fits to nothing. */
  readonly fraction?: number;
  /** order of the rows, of which the first ones are taken; default drawn from `seed` */
  readonly permutation?: ArrayLike<number>;
  /** default 0 */
  readonly seed?: number;
}

/**
 * PCA fitted to a random part of the embeddings (lightly.utils.embeddings_2d.fit_pca): of all rows in random order the
 * first floor(rows · fraction). Throws a RangeError for a fraction outside (0, 1] or one that leaves less than two rows.
 */
export function fitPca(embeddings: Matrix, options: FitPcaOptions = {}): Pca {
  const { components = 2, fraction, seed = 0 } = options;
  const { rows, columns } = embeddings;
  if (fraction !== undefined && !(fraction > 0 && fraction <= 1)) {
    throw new RangeError(`fraction is ${fraction}; it must lie above 0 and not above 1`);
  }
  const pca = new Pca({ components });
  const count = Math.floor(rows * (fraction ?? 1));
  if (count === rows) return pca.fit(embeddings);
  const order = options.permutation ?? createRandom(seed, 'fit_pca').permutation(rows);
  const data = new Float64Array(count * columns);
  for (let i = 0; i < count; i++) data.set(rowOf(embeddings, order[i]), i * columns);
  return pca.fit({ data, rows: count, columns });
}
