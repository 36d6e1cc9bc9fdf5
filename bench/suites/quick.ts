import type { Gpu } from '../../src/gpu/gpu.ts';
import { deviceLike, standInGpu } from '../../src/gpu/standIn.ts';
import { cases as attention } from '../attention.ts';
import { cases as conv2d } from '../conv2d.ts';
import type { CasesOf } from '../harness.ts';
import { cases as layerNorm } from '../layerNorm.ts';
import { cases as matmul } from '../matmul.ts';
import { calibrate, type Roofline, type Work } from '../measure/roofline.ts';
import { type Progress, type Visit, visitInRounds } from '../measure/rounds.ts';
import type { CaseResult } from '../report/schema.ts';
import { cases as softmax } from '../softmax.ts';
import { type FamilyCase, kernelVisit } from './kernelVisit.ts';
import { type ModelCase, modelCases } from './modelCases.ts';
import { leaveOutFailing } from './suite.ts';

/** The work of one run of a model: what its kernels say of themselves, recorded on a device that does nothing. */
export function workOf(gpu: Gpu, model: ModelCase): Work {
  using standIn = standInGpu(deviceLike(gpu));
  const { record, before } = model.prepare(standIn);
  let [flops, bytes] = [0, 0];
  standIn.onDispatch(({ cost }, params) => {
    const work = cost(params);
    flops += work.flops;
    bytes += work.bytes;
  });
  before?.();
  standIn.scope(record);
  return { flops, bytes };
}

/** A whole step as a case among kernels. */
function stepCase(gpu: Gpu, model: ModelCase): FamilyCase {
  return {
    ...workOf(gpu, model),
    name: model.name,
    family: 'step',
    prepare: (used) => {
      const { record, before } = model.prepare(used);
      return () => {
        before?.();
        record();
      };
    },
  };
}

/** A product, a convolution, attention and both norms of rows, forward and backward, and a training step. */
export function quickCases(gpu: Gpu): FamilyCase[] {
  const { kind } = gpu.adapter;
  const batch = kind === 'hardware' ? 16 : 1;
  const found = (family: string, cases: CasesOf, name: string): FamilyCase[] =>
    cases({ batch, small: kind === 'software' })
      .filter((benchCase) => benchCase.name === name || benchCase.name.startsWith(`${name}, `))
      .map((benchCase) => ({ ...benchCase, family }));
  const size = kind === 'hardware' ? 2048 : 512;
  return [
    ...found('matmul', matmul, `matmul ${size}x${size}x${size} nn`),
    ...found('conv2d', conv2d, `conv2d 3x3 ${batch}x56x56x64 to 64`),
    ...found('attention', attention, `attention ${batch}x12x128x64`),
    ...found('layerNorm', layerNorm, `layerNorm ${128 * batch}x768`),
    ...found('softmax', softmax, `softmax ${12 * batch}x128x128, axis 2`),
    ...modelCases(kind, undefined)
      .filter(({ family }) => family === 'phantom-mini')
      .map((model) => stepCase(gpu, model)),
  ];
}

/** What a short benchmark found. */
export interface QuickResult {
  readonly roofline: Roofline;
  readonly results: readonly CaseResult[];
  /** Sentences about cases that do not fit on the device. */
  readonly leftOut: readonly string[];
}

export interface QuickOptions {
  /** Those of `quickCases` by default. */
  readonly cases?: readonly FamilyCase[];
  /** Measurements of each case; 3 by default. */
  readonly rounds?: number;
  /** Of the arrays whose copy is timed: 128 MiB on hardware by default, less than `npm run bench` asks of a card. */
  readonly copyBytes?: number;
}

/**
 * A benchmark of seconds on a graphics card and of less than a minute on a software adapter, for Node and for pages.
 * Tells of every measurement before it makes it, so whoever asks for the next one decides when it is made, and whether.
 * Give it a device of its own, which the caller disposes.
 */
export async function* quickBenchmark(
  gpu: Gpu,
  options: QuickOptions = {},
): AsyncGenerator<Progress, QuickResult, void> {
  const { cases = quickCases(gpu), rounds = 3 } = options;
  const { copyBytes = gpu.adapter.kind === 'hardware' ? 2 ** 27 : 2 ** 26 } = options;
  using _calibration = gpu.scopes.open();
  const leftOut: string[] = [];
  const visits = cases.map((benchCase) => leaveOutFailing(kernelVisit(gpu, benchCase), leftOut));
  let peaks: Awaited<ReturnType<typeof calibrate>> | undefined;
  const roofline: Visit = {
    name: 'roofline',
    measure: async () => {
      // The first sample is part of the calibration.
      if (peaks) await peaks.sample();
      else peaks = await calibrate(gpu, copyBytes);
    },
  };
  yield* visitInRounds([roofline, ...visits], { rounds });
  if (!peaks) throw new Error('The roofline was not measured.');
  return {
    roofline: peaks.roofline(),
    results: visits.filter((visit) => !visit.failed()).map((visit) => visit.result()),
    leftOut,
  };
}
