/** A file of tensors cannot be used. The message names the file and, where it applies, the tensor. */
export class TensorFileError extends Error {
  override readonly name = 'TensorFileError';
}
