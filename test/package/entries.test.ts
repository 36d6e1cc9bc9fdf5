import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { browserEntries, bundleForPage, root } from './support.ts';

/** What pages may load from npm. Everything else is for the command line and for Node. */
const forPages = [
  '@huggingface/tokenizers',
  'd3-array',
  'd3-color',
  'd3-contour',
  'd3-interpolate',
  'd3-scale-chromatic',
  'dicom-parser',
  'fast-png',
  'fflate',
  'internmap',
  'iobuffer',
  'zod',
];
const everything = (entry: string): string => `import * as all from '${entry}'; globalThis.all = all;`;
const packageOf = (file: string): string | undefined =>
  /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? undefined;

describe('the entries of the package', () => {
  it('are all in the export map', () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: object };
    const names = Object.keys(exports).map((key) => key.replace(/^\./, 'groundray'));
    expect(names).toEqual([...Object.keys(browserEntries), 'groundray/node', 'groundray/package.json']);
  });

  it.each(Object.keys(browserEntries))('%s loads in a page without a built-in of Node', async (entry) => {
    const { metafile } = await bundleForPage(everything(entry));
    const inputs = Object.entries(metafile.inputs);
    // "<runtime>" are helpers of esbuild's own.
    const external = inputs.flatMap(([, { imports }]) =>
      imports.filter((found) => found.external && found.path !== '<runtime>'),
    );
    expect(external).toEqual([]);
    expect(inputs.map(([file]) => file).filter((file) => file.endsWith('.node.ts'))).toEqual([]);
    const packages = new Set(inputs.flatMap(([file]) => packageOf(file) ?? []));
    expect([...packages].filter((name) => !forPages.includes(name))).toEqual([]);
  });

  it('leave the engine without any dependency', async () => {
    const { metafile } = await bundleForPage(everything('groundray'));
    expect(Object.keys(metafile.inputs).filter((file) => packageOf(file))).toEqual([]);
  });
});
