/** Something is wrong with the device: no adapter, a missing limit, a lost device, a validation error. */
export class GpuError extends Error {
  override readonly name = 'GpuError';
}

/** A shape, dtype or argument does not fit the operation it was given to. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}
