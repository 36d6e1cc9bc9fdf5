import { readdirSync } from 'node:fs';
import { join, parse } from 'node:path';
import type { CasesOf } from '../harness.ts';
import { planRounds, roundRobin } from '../measure/rounds.ts';
import { kernelSection } from '../report/kernelSection.ts';
import { kernelTable } from '../report/kernelTable.ts';
import { type FamilyCase, kernelVisit } from './kernelVisit.ts';
import type { Suite, SuiteOptions } from './suite.ts';
import { leaveOutFailing } from './suite.ts';

/** The batches of the paper's world; a software adapter gets through one image or text. */
const defaultBatches = { hardware: [1, 32, 128], software: [1] } as const;

/** Every file beside main.ts but this is an operation. */
const notOperations = /^(main|harness)$/;

/** The cases of all operations, one file of `bench/` each, that contain the text of `--only`. */
export async function collectKernelCases(
  { only, batches }: SuiteOptions,
  kind: 'hardware' | 'software',
): Promise<FamilyCase[]> {
  const folder = join(import.meta.dirname, '..');
  const families = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !notOperations.test(parse(file).name))
    .map((file) => parse(file).name)
    .sort();
  const found: FamilyCase[] = [];
  for (const family of families) {
    const { cases } = (await import(`../${family}.ts`)) as { readonly cases: CasesOf };
    const all = (batches ?? defaultBatches[kind]).flatMap((batch) => cases({ batch, small: kind === 'software' }));
    const unique = new Map(all.map((benchCase) => [benchCase.name, { ...benchCase, family }]));
    for (const benchCase of unique.values()) {
      if (`${family} ${benchCase.name}`.toLowerCase().includes(only)) found.push(benchCase);
    }
  }
  return found;
}

export const kernelSuite: Suite = {
  name: 'kernels',
  about: 'every kernel, forward and backward, at the shapes of ResNet-50 and BERT-base',
  count: async (options) => (await collectKernelCases(options, 'hardware')).length,
  run: async ({ gpu, signal, onProgress, calibrate, ...options }) => {
    const failures: string[] = [];
    const found = await collectKernelCases(options, gpu.adapter.kind);
    const visits = found.map((benchCase) => leaveOutFailing(kernelVisit(gpu, benchCase), failures));
    const plan = planRounds(options.rounds, gpu.adapter.kind, 2);
    await roundRobin([...visits, { name: 'roofline', measure: calibrate }], { ...plan, signal, onProgress });
    const results = visits.filter((visit) => !visit.failed()).map((visit) => visit.result());
    return { results, ...(failures.length > 0 ? { extra: { failures } } : {}) };
  },
  table: kernelTable,
  html: kernelSection,
};
