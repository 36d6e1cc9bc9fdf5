import { relative } from 'node:path';
import { DataError } from '../data/errors.ts';
import { GpuError, ShapeError } from '../gpu/errors.ts';
import { MissingPackageError, TensorFileError } from '../io/errors.ts';
import { ConfigError, NonFiniteError } from '../train/errors.ts';
import { FixtureError } from '../verify/errors.ts';

export { formatDuration } from '../io/duration.ts';

/** Values of `--adapter`; `gpu` demands hardware. */
export const adapterChoices = ['auto', 'gpu', 'software', 'swiftshader'] as const;
export type AdapterChoice = (typeof adapterChoices)[number];

/** A command was asked for something that it cannot do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Errors whose message is a sentence written for the user. */
const explained = [
  ConfigError,
  DataError,
  FixtureError,
  GpuError,
  MissingPackageError,
  NonFiniteError,
  ShapeError,
  TensorFileError,
  UsageError,
];

/**
 * Wraps the action of a command: an error ends it with exit code 1 and one sentence on stderr.
 * `GROUNDRAY_DEBUG=1` adds the stack.
 */
export function command<Arguments extends unknown[]>(
  action: (...args: Arguments) => Promise<void>,
): (...args: Arguments) => Promise<void> {
  return async (...args) => {
    try {
      await action(...args);
    } catch (error) {
      process.exitCode = 1;
      process.stderr.write(`${describeError(error)}\n`);
    }
  };
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `Unexpected error: ${String(error)}`;
  if (process.env.GROUNDRAY_DEBUG) return error.stack ?? error.message;
  if (explained.some((known) => error instanceof known)) return error.message;
  return `Unexpected error: ${error.message} (set GROUNDRAY_DEBUG=1 to see where it comes from)`;
}

/** Size of a file in decimal units, as publishers give them: `436.2 MB`. */
export function formatFileSize(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return bytes >= 1e3 ? `${(bytes / 1e3).toFixed(1)} kB` : `${bytes} B`;
}

/** Memory in binary units, as graphics cards have it: `5.31 GiB`. */
export function formatMemory(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(2)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** A path as it is shown: from the working folder where it lies below it, else whole. */
export function shownPath(path: string): string {
  const near = relative('.', path);
  return near.startsWith('..') ? path : near;
}
