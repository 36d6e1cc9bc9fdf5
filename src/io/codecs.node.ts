import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type Codecs, loadCodecs } from './codecs.ts';
import { loadOptional } from './optionalPackage.node.ts';

// Finding the file throws where it is not there, which has to be a rejection.
const readWasm = async () =>
  readFile(createRequire(import.meta.url).resolve('dcmjs-codecs/build/dcmjs-native-codecs.wasm'));

let loaded: Promise<Codecs> | undefined;

/**
 * The codecs from the npm package, compiled on first use (0.2 s) and then kept.
 * @throws MissingPackageError without dcmjs-codecs, which is an optional peer of this package.
 */
export function nodeCodecs(): Promise<Codecs> {
  loaded ??= loadOptional('dcmjs-codecs', readWasm, 'Decoding compressed DICOM images').then(loadCodecs);
  return loaded;
}
