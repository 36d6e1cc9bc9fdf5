import { FixtureError } from '../errors.ts';
import type { FixtureSource } from '../format.ts';

/** A fixtures folder on a web server. @param base address of the folder, with a slash at its end. */
export function fetchSource(base: string): FixtureSource {
  return {
    location: base,
    async read(file) {
      const response = await fetch(new URL(file, base));
      if (!response.ok) throw new FixtureError(await response.text());
      return new Uint8Array(await response.arrayBuffer());
    },
  };
}
