/** A file that cannot be read as a PyTorch file; the message says where and why. */
export class TorchFileError extends Error {
  override readonly name: string = 'TorchFileError';
}

/** The bytes end before the pickle does: there may be more in the file. */
export class TruncatedPickle extends TorchFileError {
  override readonly name = 'TruncatedPickle';
}
