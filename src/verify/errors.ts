/** A fixtures folder cannot be read or says something that it must not. */
export class FixtureError extends Error {
  override readonly name = 'FixtureError';
}
