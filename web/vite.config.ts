import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const root = import.meta.dirname;

/** The page's own policy. */
const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(
  readFileSync(join(root, 'index.html'), 'utf8'),
)?.[1];
if (policy === undefined) throw new Error('index.html has no Content-Security-Policy.');

/** Tells the service worker which files make up the page. */
function listFiles(): Plugin {
  return {
    name: 'groundray-page-files',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const kept = readdirSync(join(root, 'public'), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) =>
            join(entry.parentPath, entry.name)
              .slice(join(root, 'public').length + 1)
              .replaceAll('\\', '/'),
          );
        const built = Object.keys(bundle).filter((name) => name !== 'serviceWorker.js');
        const files = ['./', ...[...built, ...kept].sort()];
        const worker = bundle['serviceWorker.js'];
        if (worker?.type === 'chunk') worker.code = worker.code.replace('__PAGE_FILES__', JSON.stringify(files));
      },
    },
  };
}

/** The page of `web/`. Paths are relative, so that the build works from any folder of any web server. */
export default defineConfig({
  root,
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [listFiles()],
  worker: { format: 'es' },
  // Workers have no policy of their own but that of their files' headers.
  preview: { headers: { 'Content-Security-Policy': policy } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // The polyfill would put a script into the page that its Content-Security-Policy forbids.
    modulePreload: { polyfill: false },
    // Files inside of scripts would be addresses that the policy forbids to fetch.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    rollupOptions: {
      input: { index: join(root, 'index.html'), serviceWorker: join(root, 'src/serviceWorker.ts') },
      output: {
        entryFileNames: ({ name }) => (name === 'serviceWorker' ? 'serviceWorker.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
});
