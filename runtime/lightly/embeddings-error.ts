/** An embeddings file that is not as it must be: which file, where in it, why, and what to do. */
export class EmbeddingsError extends Error {
  override readonly name = 'EmbeddingsError';

  constructor(path: string, message: string, cure: string, options?: ErrorOptions) {
    super(`${path}: ${message}. ${cure}.`, options);
  }
}
