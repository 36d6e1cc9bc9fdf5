import { expect, it } from 'vitest';
import { MissingPackageError } from '../../src/io/errors.ts';
import { loadOptional, missingPackages } from '../../src/io/optionalPackage.node.ts';

const failing = (code: string, message: string) => async () => {
  throw Object.assign(new Error(message), { code });
};

it('an optional package that is missing is named with the command that installs it', async () => {
  const load = failing('ERR_MODULE_NOT_FOUND', "Cannot find package 'sharp' imported from image.node.js");
  await expect(loadOptional('sharp', load, 'Decoding images')).rejects.toThrow(
    new MissingPackageError('Decoding images', ['sharp']),
  );
  expect(new MissingPackageError('The command line', ['webgpu', 'sharp']).message).toBe(
    'The command line needs the packages webgpu, sharp, which groundray does not bring: npm install webgpu sharp',
  );
});

it.each([
  ['ERR_DLOPEN_FAILED', 'libvulkan.so.1: cannot open shared object file'],
  ['ERR_MODULE_NOT_FOUND', "Cannot find package 'detect-libc' imported from sharp.js"],
])('an optional package that is there and broken says itself what is wrong: %s', async (code, message) => {
  await expect(loadOptional('sharp', failing(code, message), 'Decoding images')).rejects.toThrow(message);
});

it('an optional package that is there is loaded', async () => {
  expect(await loadOptional('sharp', async () => 'loaded', 'Decoding images')).toBe('loaded');
  expect(missingPackages()).toEqual([]);
});
