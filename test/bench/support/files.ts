import type { BenchFile, CaseResult } from '../../../bench/report/schema.ts';

/** A case with the given time and spread, measured by the GPU's clock. */
export function result(name: string, ms: number, spread = 0.01, changes: Partial<CaseResult> = {}): CaseResult {
  const time = { median: ms, low: ms * (1 - spread), high: ms * (1 + spread), spread, rounds: 5 };
  return {
    suite: 'kernels',
    family: 'matmul',
    name,
    clock: 'gpu',
    wall: time,
    gpu: time,
    flops: 2e9,
    bytes: 1e6,
    dispatches: 1,
    jsMicrosecondsPerDispatch: 3,
    compileMs: 10,
    ...changes,
  };
}

/** A file of results as `--json` writes it. */
export function benchFile(results: readonly CaseResult[], changes: Partial<BenchFile> = {}): BenchFile {
  const time = { median: 10, low: 9, high: 11, spread: 0.01, rounds: 5 };
  return {
    format: 'groundray-bench',
    version: 1,
    date: '2026-01-02T03:04:05.000Z',
    adapter: { kind: 'software', vendor: 'mesa', architecture: 'software', device: 'llvmpipe', description: 'Mesa 25' },
    processor: { model: 'a processor', cores: 2 },
    platform: 'linux x64',
    versions: { groundray: '0.1.0', node: 'v20.9.0', webgpu: '0.6.2', commit: '0123456789' },
    toggles: [],
    roofline: { gflops: 100, gigabytesPerSecond: 10, arithmetic: time, copy: time },
    results: [...results],
    extra: {},
    ...changes,
  };
}
