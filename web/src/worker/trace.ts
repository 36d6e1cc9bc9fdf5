import type { GrayImage } from '../../../src/data/types.ts';
import { chromeTrace, type KernelTime, type ProfiledDispatch, rollUp } from '../../../src/gpu/profile.ts';
import type { Engine } from './engine.ts';

/** Where the GPU time of one question goes. */
export interface Trace {
  readonly phrase: string;
  /** Longest first. */
  readonly kernels: readonly KernelTime[];
  readonly dispatches: number;
  readonly ms: number;
  /** Microseconds to which the browser rounds these times. */
  readonly tickUs: number;
  /** For a trace viewer, see `chromeTrace`. */
  readonly json: string;
}

/** @throws GpuError if the device has no timestamp queries. */
export async function traceQuestion(engine: Engine, image: GrayImage, phrase: string): Promise<Trace> {
  const dispatches = await engine.trace(image, phrase);
  const kernels = rollUp(dispatches, 'kernel');
  const ms = kernels.reduce((sum, kernel) => sum + kernel.ms, 0);
  const json = chromeTrace(dispatches);
  return { phrase, kernels, dispatches: dispatches.length, ms, tickUs: tickOf(dispatches), json };
}

/** The largest number of nanoseconds that divides all times, in microseconds. */
function tickOf(dispatches: readonly ProfiledDispatch[]): number {
  let tick = 0;
  for (const { us } of dispatches) {
    let rest = Math.round(1000 * us);
    while (rest > 0) [tick, rest] = [rest, tick % rest];
  }
  return tick / 1000;
}
