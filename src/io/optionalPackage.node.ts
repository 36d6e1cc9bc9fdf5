import { MissingPackageError } from './errors.ts';

/** What only Node needs and is too large for everyone who writes a page: optional peers in package.json. */
export const optionalPackages = ['webgpu', 'sharp', 'dcmjs-codecs', 'echarts'] as const;
export type OptionalPackage = (typeof optionalPackages)[number];

/**
 * Loads a package that installing this one does not bring.
 * @param load imports it.
 * @param user what needs it, at the beginning of a sentence: `WebGPU in Node`.
 * @throws MissingPackageError if it is not installed; what else goes wrong in `load` is passed on.
 */
export async function loadOptional<T>(name: OptionalPackage, load: () => Promise<T>, user: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isMissing = (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && message.includes(`'${name}`);
    throw isMissing ? new MissingPackageError(user, [name]) : error;
  }
}

/** Which of the optional packages are not installed where this module looks for them. */
export function missingPackages(): OptionalPackage[] {
  return optionalPackages.filter((name) => {
    try {
      import.meta.resolve(name);
      return false;
    } catch {
      return true;
    }
  });
}
