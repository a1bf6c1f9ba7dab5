/** A video that cannot be used; the message names it, says why and, where there is something to do, what. */
export class VideoError extends Error {
  override readonly name = 'VideoError';
}
