import { writeJsonAtomic } from '../io/atomic.node.ts';
import type { GemmPlan } from '../kernels/gemm.ts';
import { candidatePlans } from '../kernels/tuning/candidates.ts';
import type { TunedPlan, TuningRequest } from '../kernels/tuning/plans.ts';
import type { TunedProduct } from '../kernels/tuning/tune.ts';
import { stepProducts } from '../train/tuning.ts';
import { openTunedGpu } from './adapter.ts';
import { formatDuration } from './common.ts';
import { type ConfigFlags, runConfigOf } from './configFlags.ts';
import { type AdapterFlags, adapterOf } from './flags.ts';
import { interruptSignal } from './interrupt.ts';
import { tuneProducts } from './tuneProducts.ts';

/** Flags of `groundray tune`, as commander gives them. */
export interface TuneFlags
  extends AdapterFlags,
    Pick<
      ConfigFlags,
      'preset' | 'config' | 'batch' | 'chunk' | 'checkpointing' | 'precision' | 'imageSize' | 'objective'
    > {
  readonly sentences?: number;
  readonly again?: boolean;
  readonly json?: string;
}

/** `tile64`, `tile64 in 4 parts` */
function describePlan({ core, splits }: Pick<GemmPlan, 'core' | 'splits'>): string {
  return splits > 1 ? `${core} in ${splits} parts` : core;
}

interface Row {
  readonly product: string;
  readonly usual: string;
  readonly best: string;
  readonly ratio: string;
  readonly milliseconds: string;
}

const headings: Row = {
  product: 'product',
  usual: 'default plan',
  best: 'best plan',
  ratio: 'ratio',
  milliseconds: 'ms',
};

function rowOf({ key }: TuningRequest, usual: GemmPlan, plan: TunedPlan, measured: TunedProduct | undefined): Row {
  const isUsual = plan.core === 'default';
  return {
    product: key,
    usual: describePlan(usual),
    best: isUsual ? 'the same' : describePlan({ core: plan.core, splits: plan.splits }),
    ratio: plan.gain.toFixed(2),
    milliseconds: measured ? measured.bestTime.toPrecision(3) : 'known',
  };
}

function formatTable(rows: readonly Row[]): string {
  const all = [headings, ...rows];
  const width = (field: keyof Row): number => Math.max(...all.map((row) => row[field].length)) + 2;
  const [product, usual, best] = [width('product'), width('usual'), width('best')];
  return all
    .map(
      (row) =>
        row.product.padEnd(product) +
        row.usual.padEnd(usual) +
        row.best.padEnd(best) +
        row.ratio.padStart(6) +
        row.milliseconds.padStart(10),
    )
    .join('\n');
}

/** `groundray tune` */
export async function tune(flags: TuneFlags): Promise<void> {
  const print = (text: string): void => void process.stdout.write(text);
  const config = runConfigOf(flags);
  const { gpu, tuning } = await openTunedGpu(adapterOf(flags), false, 'on');
  const { signal, dispose } = interruptSignal('Stopping; what was measured is kept.');
  const begin = performance.now();
  try {
    const requests = await stepProducts(gpu, config, flags.sentences === undefined ? undefined : [flags.sentences]);
    const { known } = tuning.plans;
    const open = flags.again ? requests.length : requests.filter(({ key }) => !known.has(key)).length;
    print(
      `A step of ${config.preset} (batch ${config.batchSize}) has ${requests.length} products; ${open} to measure.\n`,
    );
    const tuned = await tuneProducts(gpu, tuning, requests, { again: flags.again ?? false, signal, print });
    const measured = new Map(tuned.map((product) => [product.request.key, product]));
    const rows = requests.flatMap((request) => {
      const plan = known.get(request.key);
      const [usual] = candidatePlans(gpu, request.product);
      return plan && usual ? [rowOf(request, usual, plan, measured.get(request.key))] : [];
    });
    print(`\n${formatTable(rows)}\n`);
    const [before, after] = [tuned, tuned].map((products, i) =>
      products.reduce((sum, { usualTime, bestTime }) => sum + (i === 0 ? usualTime : bestTime), 0),
    );
    if (tuned.length > 0) {
      print(
        `Measured ${tuned.length} products in ${formatDuration(performance.now() - begin)}: once each, they take ` +
          `${before?.toFixed(2)} ms with the default plans and ${after?.toFixed(2)} ms with the best.\n`,
      );
    }
    const refused = tuned.reduce((sum, product) => sum + product.refused.length, 0);
    if (refused > 0) print(`${refused} plans were refused, as they failed or gave another result.\n`);
    if (flags.json) {
      const products = tuned.map(({ request, ...rest }) => ({ key: request.key, ...rest }));
      await writeJsonAtomic(flags.json, { ...tuning.table(), products });
    }
  } finally {
    dispose();
    gpu.dispose();
  }
}
