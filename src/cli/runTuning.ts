import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Gpu } from '../gpu/gpu.ts';
import { writeJsonAtomic } from '../io/atomic.node.ts';
import type { Tuning } from '../kernels/tuning/open.ts';
import { parseTable } from '../kernels/tuning/table.ts';
import type { RunDescription } from '../train/runFolder.node.ts';
import { stepProducts } from '../train/tuning.ts';
import { formatDuration } from './common.ts';
import { tuneProducts } from './tuneProducts.ts';

const planFile = 'tuning.json';

/** Keeps in the folder of a run which tuned plans it uses: others give other last bits. */
export async function recordPlans(folder: string, { table }: Tuning): Promise<void> {
  await writeJsonAtomic(join(folder, planFile), table());
}

/**
 * Goes on with exactly the plans that a run was begun with, so that it ends in the same bits.
 * @returns a sentence if that is not possible
 */
export function useRecordedPlans(folder: string, { plans, table }: Tuning): string | undefined {
  const path = join(folder, planFile);
  if (!existsSync(path)) return undefined;
  try {
    plans.replaceAll(parseTable(JSON.parse(readFileSync(path, 'utf8')), table().target));
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `The run goes on with other tuned plans, so with other rounding: ${planFile} is not used, as ${reason}.`;
  }
}

/**
 * Settles the plans of a run before its first step: with `--tune on` it measures what is not known yet, otherwise a run
 * that is resumed keeps its own.
 */
export async function preparePlans(gpu: Gpu, run: RunDescription, tuning: Tuning, signal: AbortSignal): Promise<void> {
  const print = (text: string): void => void process.stdout.write(text);
  const { plans } = tuning;
  if (plans.mode === 'cached') {
    const notice = useRecordedPlans(run.folder, tuning);
    if (notice) print(`${notice}\n`);
  }
  if (plans.mode !== 'on') return;
  const requests = (await stepProducts(gpu, run.config)).filter(({ key }) => !plans.known.has(key));
  const begin = performance.now();
  const tuned = await tuneProducts(gpu, tuning, requests, { signal, print });
  const better = tuned.filter(({ best, usual }) => best !== usual).length;
  const spent = formatDuration(performance.now() - begin);
  print(`Tuned ${tuned.length} products in ${spent}; ${better} have a faster plan than the default.\n`);
}
