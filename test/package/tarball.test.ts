import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { optionalPackages } from '../../src/io/optionalPackage.node.ts';
import { launchChromium } from '../../src/verify/browser/launch.node.ts';
import { chromiumIsMissing, root, serveFolder } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'groundray-package-'));
let tarball = '';
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  devDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
};

function run(command: string, args: readonly string[], cwd: string): string {
  try {
    // What npm set for this process is not for the projects below.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
    return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`);
  }
}

function write(file: string, text: string): void {
  const path = join(folder, file);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
}

/** Versions that the repository has, which npm finds in its cache. */
function install(...packages: readonly string[]): void {
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', ...packages], folder);
}

/** Bytes of all files below a folder. */
function sizeOf(parent: string): number {
  return readdirSync(parent, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** What a first page does: a matrix product with its gradient, then steps of a layer and an optimizer of another entry. */
const script = `
import { backward, createGpu, matmul, mean, square, sum, tensor } from 'groundray';
import { Linear, ParameterArena, sgd } from 'groundray/nn';
const gpu = await createGpu();
const x = tensor(gpu, [1, 2], [1, 2]);
const w = tensor(gpu, [1, 2, 3, 4], [2, 2], { requiresGrad: true });
const y = sum(matmul(x, w), null);
backward([y]);
const layer = new Linear(2, 3);
const arena = new ParameterArena(gpu, layer, { seed: 1 });
const optimizer = sgd(arena);
const losses = [];
for (let step = 0; step < 3; step++) {
  arena.zeroGrad();
  const loss = mean(square(layer.forward(x)), null);
  backward([loss]);
  optimizer.step({ learningRate: 0.1 });
  losses.push(await loss.item());
}
const falls = losses[0] > losses[1] && losses[1] > losses[2] && losses[2] > 0;
globalThis.result = { y: await y.item(), gradient: [...(await w.grad.read())], falls };
gpu.dispose();
`;
const expected = { y: 17, gradient: [1, 1, 2, 2], falls: true };
const page = (source: string, head = ''): string =>
  `<!doctype html><meta charset="utf-8"><title>try</title>${head}<script type="module" src="${source}"></script>`;

beforeAll(() => {
  run('npm', ['pack', '--silent', '--pack-destination', folder], root);
  tarball = join(folder, `groundray-${manifest.version}.tgz`);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the packed package', () => {
  it('has no complaint from publint', () => {
    expect(run('npx', ['publint', 'run', tarball, '--strict'], root)).toContain('All good!');
  });

  it('has types that every way of resolving modules finds', () => {
    // Ends with another exit code where it finds a problem.
    const report = run('npx', ['attw', tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji'], root);
    expect(report.match(/bundler: OK/g)).toHaveLength(8);
    expect(report.match(/node16 \(from ESM\): OK/g)).toHaveLength(8);
  });

  it('leaves to its user what only Node needs', () => {
    for (const name of optionalPackages) {
      expect(manifest.peerDependencies[name], name).toMatch(/^>=/);
      expect(manifest.peerDependenciesMeta[name]).toEqual({ optional: true });
    }
  });

  it('holds no source, test or data of the repository', () => {
    const files = run('tar', ['-tzf', tarball], root).trim().split('\n');
    const outside = files.filter((file) => !/^package\/(dist\/|shaders\/|package\.json|README\.md|LICENSE)/.test(file));
    expect(outside).toEqual([]);
    expect(files).toContain('package/dist/index.js');
  });
});

if (chromiumIsMissing) console.log(`Not tried in a browser: ${chromiumIsMissing}`);

describe('the package installed from its tarball', () => {
  let browser: Browser;

  beforeAll(async () => {
    write('package.json', JSON.stringify({ name: 'empty', private: true, type: 'module' }));
    install(tarball);
    if (!chromiumIsMissing) browser = await launchChromium('auto');
  });

  afterAll(() => browser?.close());

  describe.skipIf(chromiumIsMissing)('in Chromium', () => {
    async function resultOf(served: string, pages: Readonly<Record<string, string>> = {}): Promise<unknown> {
      const server = await serveFolder(served, pages);
      const tab = await browser.newPage();
      try {
        const failed = new Promise<never>((_, reject) => tab.on('pageerror', reject));
        await tab.goto(`${server.address}/index.html`);
        await Promise.race([failed, tab.waitForFunction(() => 'result' in globalThis, undefined, { timeout: 60_000 })]);
        return await tab.evaluate(() => (globalThis as { result?: unknown }).result);
      } finally {
        await tab.close();
        server.close();
      }
    }

    it('trains in a page built by Vite', async () => {
      write('vite/index.html', page('/main.js'));
      write('vite/main.js', script);
      const { build } = await import('vite');
      const project = join(folder, 'vite');
      await build({ root: project, configFile: false, logLevel: 'error', build: { target: 'es2023' } });
      expect(await resultOf(join(project, 'dist'))).toEqual(expected);
    });

    it('trains in a page built by esbuild', async () => {
      write('esbuild/main.js', script);
      const { build } = await import('esbuild');
      const project = join(folder, 'esbuild');
      await build({
        absWorkingDir: project,
        entryPoints: ['main.js'],
        outfile: 'bundle.js',
        bundle: true,
        format: 'esm',
        logLevel: 'silent',
      });
      expect(await resultOf(project, { '/index.html': page('/bundle.js') })).toEqual(expected);
    });

    it('trains in a page without any build', async () => {
      const dist = '/node_modules/groundray/dist';
      const map = { imports: { groundray: `${dist}/index.js`, 'groundray/nn': `${dist}/index.nn.js` } };
      const head = `<script type="importmap">${JSON.stringify(map)}</script>`;
      const pages = { '/index.html': page('/main.js', head), '/main.js': script };
      expect(await resultOf(folder, pages)).toEqual(expected);
    });
  });

  function compile(code: string, compilerOptions: object): string {
    write('types/main.ts', code);
    const options = { strict: true, noEmit: true, target: 'es2023', ...compilerOptions };
    write('types/tsconfig.json', JSON.stringify({ compilerOptions: options, files: ['main.ts'] }));
    return run('npx', ['tsc', '-p', join(folder, 'types')], root);
  }

  it.each([
    ['esnext', 'bundler'],
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
  ])('is typed for pages, which have no types of Node: module %s, resolution %s', (module, moduleResolution) => {
    const code = (entries: readonly string[]): string => {
      const uses = entries.map((entry, i) => `import * as entry${i} from '${entry}'; console.log(entry${i});`);
      return `${uses.join('\n')}\nconst gpu: entry0.Gpu = await entry0.createGpu(); gpu.dispose();\n`;
    };
    const page = { module, moduleResolution, lib: ['es2023', 'esnext.disposable', 'dom'], types: [] };
    const entries = ['groundray', 'groundray/nn', 'groundray/models', 'groundray/eval', 'groundray/train'];
    expect(compile(code(entries), { ...page, skipLibCheck: false })).toBe('');
    // The declarations of dicom-parser name Node's Buffer, which only skipLibCheck forgives.
    expect(compile(code([...entries, 'groundray/data']), { ...page, skipLibCheck: true })).toBe('');
  });

  it('is typed as docs/embed.md uses it', () => {
    const [, section = ''] = /## Twenty lines\n([\s\S]*?)\n## /.exec(
      readFileSync(join(root, 'docs/embed.md'), 'utf8'),
    )!;
    const code = [...section.matchAll(/```js\n([\s\S]*?)```/g)].map(([, block]) => block);
    expect(code).toHaveLength(2);
    const types = [join(root, 'node_modules/@webgpu/types')];
    expect(
      compile(code.join(''), {
        module: 'esnext',
        moduleResolution: 'bundler',
        lib: ['es2023', 'dom'],
        types,
        skipLibCheck: true,
      }),
    ).toBe('');
  });

  it('is typed for Node, without the packages that it may do without', () => {
    const code = `import { createGpu } from 'groundray';
      import { readImage } from 'groundray/node';
      const gpu = await createGpu({ adapter: 'software' });
      const { width }: { readonly width: number } = await readImage('x.png');
      console.log(gpu, width);`;
    const node = { types: ['node'], typeRoots: [join(root, 'node_modules/@types')], skipLibCheck: true };
    expect(compile(code, { ...node, module: 'node16', moduleResolution: 'node16' })).toBe('');
  });

  it('is small: what pages do without does not come with it', () => {
    const modules = readdirSync(join(folder, 'node_modules'));
    expect(optionalPackages.filter((name) => modules.includes(name))).toEqual([]);
    const megabytes = sizeOf(join(folder, 'node_modules')) / 1e6;
    console.log(`node_modules after npm install: ${megabytes.toFixed(0)} MB.`);
    expect(megabytes).toBeLessThan(40);
  });

  it('says what has to be installed for Node, and loads all the same', () => {
    write(
      'missing.js',
      `import { createGpu } from 'groundray';
       import { nodeCodecs, readImage } from 'groundray/node';
       const reason = (action) => action.then(() => 'none', ({ name, message }) => name + ': ' + message);
       const image = ${JSON.stringify(join(root, 'docs/images/web.png'))};
       console.log(JSON.stringify([await reason(createGpu()), await reason(readImage(image)), await reason(nodeCodecs())]));`,
    );
    const install = (user: string, name: string): string =>
      `MissingPackageError: ${user} needs the package ${name}, which groundray does not bring: npm install ${name}`;
    expect(JSON.parse(run('node', ['missing.js'], folder))).toEqual([
      install('WebGPU in Node', 'webgpu'),
      install('Decoding PNG and JPEG images in Node', 'sharp'),
      install('Decoding compressed DICOM images', 'dcmjs-codecs'),
    ]);
    expect(run('npx', ['groundray', '--help'], folder)).toContain('Usage: groundray');
    expect(() => run('npx', ['groundray', 'phantom', '--out', 'phantoms'], folder)).toThrow(
      `npm install ${optionalPackages.join(' ')}`,
    );
  });

  describe('with what Node needs', () => {
    beforeAll(() => {
      // The last for machines without a driver.
      const needed = [...optionalPackages, '@sparticuz/chromium'];
      install(...needed.map((name) => `${name}@${manifest.devDependencies[name]}`));
    });

    it('gives Node its own createGpu', () => {
      write('node.js', `${script}\nconsole.log(JSON.stringify(globalThis.result));`);
      expect(JSON.parse(run('node', ['node.js'], folder))).toEqual(expected);
    });

    it('has a command line', () => {
      const phantom = ['phantom', '--out', 'phantoms', '--count', '3', '--layout', 'mimic-cxr-jpg'];
      expect(run('npx', ['groundray', ...phantom], folder)).toContain('Wrote 3 studies');
      const image = readdirSync(join(folder, 'phantoms'), { recursive: true, encoding: 'utf8' }).find((file) =>
        file.endsWith('.jpg'),
      );
      expect(run('npx', ['groundray', 'image', join('phantoms', image ?? '')], folder)).toContain('JPEG');
    });
  });
});
