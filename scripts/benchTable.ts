/**
 * Writes the performance section of the README from the results in `bench/results/<adapter>/`, of each adapter the
 * latest. `--check` fails when the README differs from them.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBenchFile } from '../bench/report/baseline.ts';
import { withPerformance } from '../bench/report/readme.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'bench', 'results');
const target = join(root, 'README.md');

const adapters = readdirSync(folder)
  .sort()
  .flatMap((name) => {
    const files = readdirSync(join(folder, name))
      .filter((file) => file.endsWith('.json'))
      .map((file) => readBenchFile(join(folder, name, file)));
    const latest = files.sort((a, b) => a.date.localeCompare(b.date)).at(-1);
    return latest ? [{ name, file: latest }] : [];
  });

const readme = readFileSync(target, 'utf8');
const text = withPerformance(readme, adapters);
if (process.argv.includes('--check')) {
  if (readme !== text) {
    console.error('The performance section of README.md is out of date: run `npm run bench:table` and commit it.');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
  console.log(`Wrote the performance section of README.md from ${adapters.length} adapters.`);
}
