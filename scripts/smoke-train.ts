/** Trains a few steps on phantoms and fails unless the loss falls: the whole path from pixels to optimizer. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { train } from '../src/cli/trainCommand.ts';

const steps = 150;
const folder = mkdtempSync(join(tmpdir(), 'groundray-smoke-'));
const out = join(folder, 'run');
await train({ preset: 'phantom-mini', steps, batch: 16, out, evaluate: false });
const losses = readFileSync(join(out, 'metrics.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { kind: string; total: number })
  .filter(({ kind }) => kind === 'train')
  .map(({ total }) => total);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const [first, last] = [mean(losses.slice(0, 10)), mean(losses.slice(-10))];
rmSync(folder, { recursive: true });
console.log(`Mean loss of the first 10 steps ${first.toFixed(3)}, of the last 10 of ${steps} ${last.toFixed(3)}.`);
if (losses.length !== steps || !(last < first - 0.3)) {
  console.error('The loss did not fall.');
  process.exit(1);
}
