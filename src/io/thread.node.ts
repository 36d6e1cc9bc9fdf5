import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/**
 * Starts the module `name` (no extension) beside the module `from` (its `import.meta.url`) as a worker thread. Compiled,
 * it is a .js file; from source, tsx has to be registered in the thread first. Throws Error where the file is missing.
 */
export function startThread(name: string, from: string, workerData: unknown): Worker {
  if (!from.endsWith('.ts')) {
    const url = new URL(`./${name}.js`, from);
    if (!existsSync(fileURLToPath(url))) throw new Error(`${fileURLToPath(url)} is missing.`);
    return new Worker(url, { workerData });
  }
  const url = new URL(`./${name}.ts`, from).href;
  const tsx = import.meta.resolve('tsx/esm/api');
  const bootstrap = `import(${JSON.stringify(tsx)}).then(({ register }) => { register(); return import(${JSON.stringify(url)}); });`;
  return new Worker(bootstrap, { eval: true, execArgv: [], workerData });
}
