/** A wrong value in a configuration file or flag, or a run folder that cannot be used. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Training ran into NaN or infinity; the message says where it began. */
export class NonFiniteError extends Error {
  override readonly name = 'NonFiniteError';
}
