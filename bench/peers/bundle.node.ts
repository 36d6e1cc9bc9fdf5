import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/**
 * Imports a module of this folder as one file. TensorFlow.js registers gradients in modules that only a bundler can
 * resolve, and its packages for Node leave them out.
 */
export async function importBundled(entry: string): Promise<unknown> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, entry)],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    external: ['webgpu'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'silent',
  });
  const folder = mkdtempSync(join(tmpdir(), 'groundray-peers-'));
  try {
    const file = join(folder, 'bundle.mjs');
    writeFileSync(file, outputFiles[0]?.contents ?? new Uint8Array());
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
