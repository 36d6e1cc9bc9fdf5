/** Something in the user's data cannot be used. The message says where, what was expected, what was found and what to do. */
export class DataError extends Error {
  override readonly name = 'DataError';
}
