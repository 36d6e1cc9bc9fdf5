/**
 * Turns `shaders/**.wgsl` into one module of strings, so that Node, every bundler and no bundler can load them.
 * `--check` fails when the committed module differs from the files.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = new URL('../shaders/', import.meta.url).pathname;
const target = new URL('../src/kernels/shaders.gen.ts', import.meta.url).pathname;

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.wgsl'))
  .sort();

const entries = files.map((file) => {
  const name = file.replace(/\.wgsl$/, '').replaceAll('\\', '/');
  return `  ${JSON.stringify(name)}: ${JSON.stringify(readFileSync(join(folder, file), 'utf8'))},`;
});

const text = `// Generated from shaders/*.wgsl by scripts/shaders.ts (npm run shaders). Do not edit.
export const shaders = {
${entries.join('\n')}
} as const;

export type ShaderName = keyof typeof shaders;
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
