/** A file of tensors cannot be used. The message names the file and, where it applies, the tensor. */
export class TensorFileError extends Error {
  override readonly name = 'TensorFileError';
}

/** A download did not succeed; the message says what happened. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError';
  /** Whether trying again may help. */
  readonly temporary: boolean;

  constructor(message: string, temporary = false) {
    super(message);
    this.temporary = temporary;
  }
}
