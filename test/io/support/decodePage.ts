// Bundled into a page: decodes files that the test hands over, and returns a digest of the values.
import { loadCodecs } from '../../../src/io/codecs.ts';
import { decodeImage } from '../../../src/io/image.ts';

declare global {
  var decodeInPage: (base64: string) => Promise<string>;
}

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const codecs = fetch('/codecs.wasm')
  .then((response) => response.arrayBuffer())
  .then(loadCodecs);

globalThis.decodeInPage = async (base64) => {
  try {
    const { width, height, data } = await decodeImage(bytesOf(base64), 'source', () => codecs);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
    return `${width}x${height} ${[...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
};
