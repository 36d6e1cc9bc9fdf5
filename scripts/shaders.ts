/**
 * Turns files of WGSL into modules with a string for each file, so that Node, every bundler and no bundler can load
 * them, and bundlers leave out those that nothing uses. Comments and indentation stay in the files: they are nearly
 * half of what browsers would download (38 KB compressed, 22 without them).
 * `--check` fails when a committed module differs from the files.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** Folders of shaders and the modules made of them: the engine's, and those that measure what a device can do. */
const modules = [
  ['shaders', 'src/kernels/shaders.gen.ts'],
  ['bench/measure', 'bench/measure/shaders.gen.ts'],
] as const;

/** `lib/rowSerial.wgsl` becomes `libRowSerial`. */
function exportName(file: string): string {
  const [first = '', ...rest] = file.replace(/\.wgsl$/, '').split(/[/\\]/);
  return first + rest.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join('');
}

/** The lines of a shader without comments (WGSL has no strings that could hold their signs), blank lines and indentation. */
function withoutComments(text: string, path: string): string {
  if (text.includes('/*')) throw new Error(`${path}: expected comments that begin with //, found /*.`);
  const lines = text.split('\n').map((line) => line.replace(/\/\/.*$/, '').trim());
  return `${lines.filter((line) => line !== '').join('\n')}\n`;
}

for (const [folder, target] of modules) {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.wgsl'))
    .sort();
  const entries = files.map((file) => {
    const text = withoutComments(readFileSync(join(root, folder, file), 'utf8'), `${folder}/${file}`);
    return `export const ${exportName(file)} =\n  ${JSON.stringify(text)};`;
  });
  const text = `// Generated from ${folder}/*.wgsl by scripts/shaders.ts (npm run shaders). Do not edit.\n${entries.join('\n')}\n`;
  const path = join(root, target);
  if (!process.argv.includes('--check')) {
    writeFileSync(path, text);
    console.log(`Wrote ${files.length} shaders to ${target}`);
  } else if (readFileSync(path, 'utf8') !== text) {
    console.error(`${target} is out of date: run \`npm run shaders\` and commit the result.`);
    process.exitCode = 1;
  }
}
