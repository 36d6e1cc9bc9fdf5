/**
 * Turns `shaders/**.wgsl` into one module with a string for each file, so that Node, every bundler and no bundler can load
 * them, and bundlers leave out those that nothing uses. Comments and indentation stay in the files: they are nearly
 * half of what browsers would download (38 KB compressed, 22 without them).
 * `--check` fails when the committed module differs from the files.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = new URL('../shaders/', import.meta.url).pathname;
const target = new URL('../src/kernels/shaders.gen.ts', import.meta.url).pathname;

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.wgsl'))
  .sort();

/** `lib/rowSerial.wgsl` becomes `libRowSerial`. */
function exportName(file: string): string {
  const [first = '', ...rest] = file.replace(/\.wgsl$/, '').split(/[/\\]/);
  return first + rest.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join('');
}

/** The lines of a shader without comments (WGSL has no strings that could hold their signs), blank lines and indentation. */
function withoutComments(text: string, file: string): string {
  if (text.includes('/*')) throw new Error(`shaders/${file}: expected comments that begin with //, found /*.`);
  const lines = text.split('\n').map((line) => line.replace(/\/\/.*$/, '').trim());
  return `${lines.filter((line) => line !== '').join('\n')}\n`;
}

const entries = files.map((file) => {
  const text = withoutComments(readFileSync(join(folder, file), 'utf8'), file);
  return `export const ${exportName(file)} =\n  ${JSON.stringify(text)};`;
});

const text = `// Generated from shaders/*.wgsl by scripts/shaders.ts (npm run shaders). Do not edit.
${entries.join('\n')}
`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('src/kernels/shaders.gen.ts is out of date: run `npm run shaders` and commit the result.');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
  console.log(`Wrote ${files.length} shaders to src/kernels/shaders.gen.ts`);
}
