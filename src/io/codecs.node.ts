import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type Codecs, loadCodecs } from './codecs.ts';

let loaded: Promise<Codecs> | undefined;

/** The codecs from the npm package, compiled on first use (0.2 s) and then kept. */
export function nodeCodecs(): Promise<Codecs> {
  loaded ??= readFile(createRequire(import.meta.url).resolve('dcmjs-codecs/build/dcmjs-native-codecs.wasm')).then(
    loadCodecs,
  );
  return loaded;
}
