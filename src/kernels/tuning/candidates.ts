import type { Gpu } from '../../gpu/gpu.ts';
import { blockOf, type GemmCore, type GemmPlan, gemmCores, planGemm, splitDepthInto, supportsCore } from '../gemm.ts';
import { canRun } from './plans.ts';
import { type GemmProduct, hasHalfOperand } from './product.ts';

/** Below this depth per part, the pass over the partial results costs more than the split gains. */
const leastDepth = 128;
/** Splits are tried from the number that gives the device something to do to the number that keeps it busy. */
const usefulWorkgroups = { hardware: { least: 96, enough: 768 }, software: { least: 2, enough: 16 } };
/** Compiling takes longer than measuring, so the list is kept short. */
const mostCandidates = 40;

/** Software adapters run barriers one invocation at a time, so tiles are for those without a fixed subgroup size. */
function coresFor(gpu: Gpu): GemmCore[] {
  // What is emulated is for tests of the real one.
  const running = gemmCores.filter((core) => core !== 'matrixEmulated' && supportsCore(gpu, core));
  const subgroups = running.filter((core) => core.startsWith('subgroup'));
  return gpu.adapter.kind === 'software' && subgroups.length > 0 ? subgroups : running;
}

/** Less than a quarter of such a block would hold results. */
function isTooLarge(core: GemmCore, { rows, cols }: GemmProduct): boolean {
  const block = blockOf(core);
  return Math.min(rows, block.rows) * Math.min(cols, block.cols) < (block.rows * block.cols) / 4;
}

function* splitsFor(workgroups: number, depth: number, { least, enough }: { least: number; enough: number }) {
  for (let splits = 1; splits === 1 || depth / splits >= leastDepth; splits *= 2) {
    const canSplitMore = depth / (2 * splits) >= leastDepth;
    if (workgroups * splits >= least || !canSplitMore) yield splits;
    if (workgroups * splits >= enough) return;
  }
}

/** Plans to measure for a product: first that of the rules, then every core with every sensible number of splits. */
export function candidatePlans(gpu: Gpu, product: GemmProduct): GemmPlan[] {
  const { rows, cols, depth, batch } = product;
  const usual = planGemm(gpu, rows, cols, depth, batch, hasHalfOperand(product));
  const plans = new Map([[`${usual.core} ${usual.splits}`, usual]]);
  for (const core of coresFor(gpu)) {
    if (isTooLarge(core, product)) continue;
    const block = blockOf(core);
    const workgroups = Math.ceil(rows / block.rows) * Math.ceil(cols / block.cols) * batch;
    for (const splits of splitsFor(workgroups, depth, usefulWorkgroups[gpu.adapter.kind])) {
      const plan = splitDepthInto(core, splits, depth);
      const name = `${core} ${plan.splits}`;
      if (!plans.has(name) && canRun(gpu, plan, product)) plans.set(name, plan);
    }
  }
  return [...plans.values()].slice(0, mostCandidates);
}
