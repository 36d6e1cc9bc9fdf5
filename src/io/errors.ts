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

/** Packages are not installed that this one does not bring, because pages do without. */
export class MissingPackageError extends Error {
  override readonly name = 'MissingPackageError';

  /** @param user what needs them, at the beginning of a sentence. */
  constructor(user: string, packages: readonly string[]) {
    const what = packages.length === 1 ? `the package ${packages[0]}` : `the packages ${packages.join(', ')}`;
    super(`${user} needs ${what}, which groundray does not bring: npm install ${packages.join(' ')}`);
  }
}
