import { fileURLToPath } from 'node:url';
import { FixtureError } from '../errors.ts';

/**
 * The page's script as one ES module.
 * @throws if anything that it imports reaches a built-in of Node.
 */
export async function bundlePage(): Promise<string> {
  const { build } = await import('esbuild').catch(() => {
    throw new FixtureError('--browser needs the package esbuild; run npm install with development dependencies.');
  });
  const { outputFiles } = await build({
    // Beside this module, compiled or not.
    entryPoints: [fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './page.ts' : './page.js', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    // With this platform an import of node:fs and the like is an error.
    platform: 'browser',
    target: 'es2023',
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}
