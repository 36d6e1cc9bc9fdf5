import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** A layer may import itself and the layers before it. */
const layers = [['gpu'], ['kernels'], ['autograd'], ['nn'], ['models'], ['eval'], ['train', 'verify'], ['cli']];
/** These stand beside the layers: anything may use them, they use only what is listed. */
const beside: Readonly<Record<string, readonly string[]>> = { data: ['data', 'io'], io: ['io', 'data'] };
const rank = (folder: string): number => layers.findIndex((names) => names.includes(folder));

const folderOf = (file: string): string => /^src\/([^/]+)\//.exec(file)?.[1] ?? '';

function sources(): string[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `src/${file.replaceAll('\\', '/')}`);
}

describe('the house', () => {
  const imports = new Map<string, readonly string[]>();

  beforeAll(async () => {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: sources(),
      bundle: true,
      write: false,
      metafile: true,
      outdir: 'out',
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'silent',
    });
    for (const [file, { imports: found }] of Object.entries(metafile.inputs)) {
      imports.set(
        file,
        found.filter(({ external }) => !external).map(({ path }) => path),
      );
    }
  });

  it('imports one way: cli, train, eval, models, nn, autograd, kernels, gpu', () => {
    const wrong: string[] = [];
    for (const [file, targets] of imports) {
      const from = folderOf(file);
      for (const target of targets) {
        const to = folderOf(target);
        if (from === to || from === '' || to === '') continue;
        const allowed = beside[from]?.includes(to) ?? (to in beside || rank(to) < rank(from));
        if (!allowed) wrong.push(`${file} imports ${target}`);
      }
    }
    expect(imports.size).toBeGreaterThan(50);
    expect(wrong).toEqual([]);
  });

  it('lets the page use everything below the command line that runs in browsers', () => {
    const files = readdirSync(join(root, 'web/src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.tsx?$/.test(file),
    );
    const wrong = files.filter((file) =>
      /from '(node:|[^']*\.node\.ts'|[^']*src\/(cli|verify)\/)/.test(readFileSync(join(root, 'web/src', file), 'utf8')),
    );
    expect(files.length).toBeGreaterThan(10);
    expect(wrong).toEqual([]);
    expect(sources().filter((file) => readFileSync(join(root, file), 'utf8').includes('/web/'))).toEqual([]);
  });

  it('keeps what workers do apart from what the page holds', () => {
    const folder = join(root, 'web/src/worker');
    const used = readdirSync(folder).flatMap((file) =>
      [...readFileSync(join(folder, file), 'utf8').matchAll(/from '\.\.\/([\w./]+)'/g)].map(([, path]) => path!),
    );
    expect(new Set(used.filter((path) => !path.startsWith('../')))).toEqual(new Set(['files.ts', 'images.ts']));
  });

  it('has no file without a place in a layer', () => {
    const known = new Set([...layers.flat(), ...Object.keys(beside), '']);
    expect(sources().filter((file) => !known.has(folderOf(file)))).toEqual([]);
  });

  it('keeps Node built-ins out of everything but *.node.ts files and the command line', () => {
    const builtIn = /from '(node:|webgpu'|sharp'|pngjs')/;
    const wrong = sources().filter(
      (file) =>
        !file.endsWith('.node.ts') && folderOf(file) !== 'cli' && builtIn.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });

  it.each([
    ['the public entry', 'src/index.ts', 'requestAdapter'],
    ['the short benchmark', 'bench/suites/quick.ts', 'phantom-mini'],
  ])('bundles %s for browsers without a Node built-in', async (_, entry, text) => {
    const { outputFiles } = await build({
      absWorkingDir: root,
      entryPoints: [entry],
      bundle: true,
      write: false,
      platform: 'browser',
      format: 'esm',
      logLevel: 'silent',
    });
    expect(outputFiles[0]?.text).toContain(text);
  });
});
