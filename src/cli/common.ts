import { DataError } from '../data/errors.ts';
import { GpuError, ShapeError } from '../gpu/errors.ts';
import { FixtureError } from '../verify/errors.ts';

/** A command was asked for something that it cannot do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Errors whose message is a sentence written for the user. */
const explained = [DataError, FixtureError, GpuError, ShapeError, UsageError];

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
