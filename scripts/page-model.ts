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
const target = join(import.meta.dirname, '..', 'web', 'public', 'phantom-mini');

/** @throws Error if the run is not one for the page. */
function shipRun(folder: string | undefined): string {
  if (folder === undefined) throw new Error('Name the folder of a run: npm run web:model -- runs/my-run');
  const { config } = openRunFolder(folder);
  if (config.preset !== 'phantom-mini') {
    throw new Error(`${folder}: expected a run of phantom-mini, found one of ${config.preset}.`);
  }
  const weights = join(folder, 'model.safetensors');
  using file = openTensorFile(weights);
  const calibration = parseCalibration(file.metadata);
  if (!calibration) {
    throw new Error(`${weights} has no threshold between present and absent; run npm run evaluate -- --run ${folder}`);
  }
  if (statSync(weights).size > mostBytes) throw new Error(`${weights} has more than 6 MiB, too much for a page.`);
  mkdirSync(target, { recursive: true });
  for (const name of ['model.safetensors', 'config.json', 'vocab.txt']) {
    copyFileSync(join(folder, name), join(target, name));
  }
  return `Wrote ${target}: seed ${config.seed}, ${calibration.step} steps.`;
}

try {
  console.log(shipRun(process.argv[2]));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
