/**
 * Puts the trained model of a run where the page finds it (`web/public/phantom-mini`):
 * `npm run train -- --seed 0 --out runs/page && npm run web:model -- runs/page`.
 */
import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseCalibration } from '../src/eval/presence.ts';
import { openTensorFile } from '../src/io/openTensors.node.ts';
import { openRunFolder } from '../src/train/runFolder.node.ts';

const mostBytes = 6 * 2 ** 20;
const [folder] = process.argv.slice(2);
const target = join(import.meta.dirname, '..', 'web', 'public', 'phantom-mini');

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

if (folder === undefined) fail('Name the folder of a run: npm run web:model -- runs/my-run');
const { config } = openRunFolder(folder);
if (config.preset !== 'phantom-mini') fail(`${folder} is a run of ${config.preset}, the page has one of phantom-mini.`);
const weights = join(folder, 'model.safetensors');
const file = openTensorFile(weights);
const calibration = parseCalibration(file.metadata);
file.close();
if (!calibration)
  fail(`${weights} has no threshold between present and absent; run npm run evaluate -- --run ${folder}`);
if (statSync(weights).size > mostBytes) fail(`${weights} has more than 6 MiB, too much for a page.`);
mkdirSync(target, { recursive: true });
for (const name of ['model.safetensors', 'config.json', 'vocab.txt'])
  copyFileSync(join(folder, name), join(target, name));
console.log(`Wrote ${target}: ${config.preset}, seed ${config.seed}, ${calibration.step} steps.`);
