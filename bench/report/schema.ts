import { z } from 'zod';

const positive = z.number().positive();
const nonnegative = z.number().nonnegative();

const measuredSchema = z.strictObject({
  median: nonnegative,
  low: nonnegative,
  high: nonnegative,
  spread: nonnegative,
  rounds: z.number().int().positive(),
});

const kernelTimeSchema = z.strictObject({
  name: z.string(),
  count: nonnegative,
  ms: nonnegative,
  share: z.number().min(0).max(1),
  gflops: nonnegative,
  gigabytesPerSecond: nonnegative,
});

const resultSchema = z.strictObject({
  suite: z.string(),
  /** What the case belongs to: an operation's file, a model. */
  family: z.string(),
  name: z.string(),
  /** Which of the two times counts, and is compared with a baseline. */
  clock: z.enum(['gpu', 'wall']),
  /** Milliseconds per run. */
  wall: measuredSchema,
  gpu: measuredSchema.exactOptional(),
  flops: nonnegative.exactOptional(),
  bytes: nonnegative.exactOptional(),
  dispatches: nonnegative,
  jsMicrosecondsPerDispatch: nonnegative.exactOptional(),
  /** What only the first run paid: compilation. */
  compileMs: nonnegative.exactOptional(),
  /** What a run works on, e.g. 32 images. */
  items: z.strictObject({ count: positive, unit: z.string() }).exactOptional(),
  peakBytes: nonnegative.exactOptional(),
  /** GPU time by kernel. */
  kernels: z.array(kernelTimeSchema).exactOptional(),
});

export const benchFileSchema = z.strictObject({
  format: z.literal('groundray-bench'),
  version: z.literal(1),
  date: z.string(),
  adapter: z.strictObject({
    kind: z.enum(['hardware', 'software']),
    vendor: z.string(),
    architecture: z.string(),
    device: z.string(),
    description: z.string(),
  }),
  /** Software adapters run on it. */
  processor: z.strictObject({ model: z.string(), cores: z.number().int().positive() }),
  platform: z.string(),
  versions: z.strictObject({
    groundray: z.string(),
    node: z.string(),
    webgpu: z.string(),
    commit: z.string(),
  }),
  toggles: z.array(z.string()),
  roofline: z.strictObject({
    gflops: positive,
    gigabytesPerSecond: positive,
    arithmetic: measuredSchema,
    copy: measuredSchema,
  }),
  results: z.array(resultSchema),
  /** What suites add besides their cases, by name of the suite. */
  extra: z.record(z.string(), z.unknown()),
});

export type CaseResult = z.infer<typeof resultSchema>;
export type BenchFile = z.infer<typeof benchFileSchema>;
