/** A mistake in the pipeline, not in a picture: no other sample would escape it. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
}
