import { describe, expect, it } from 'vitest';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts';
import { CaseContext } from '../../src/verify/caseContext.ts';
import { checkGradientSummary } from '../../src/verify/gradientSummary.ts';
import { hasFailed } from '../../src/verify/report.ts';

/** Two parameters with ten elements each, of which the summary samples five: all gradients are 1. */
const file = readSafetensors(
  writeSafetensors(
    new Map([
      ['norm', { shape: [2], data: Float32Array.of(Math.sqrt(10), Math.sqrt(10)) }],
      ['norm_atol', { shape: [2], data: Float32Array.of(0.2, 0.2) }],
      ['index', { shape: [2, 5], data: Int32Array.of(0, 2, 4, 6, 8, 1, 3, 5, 7, 9) }],
      ['value', { shape: [2, 5], data: new Float32Array(10).fill(1) }],
      ['value_atol', { shape: [2], data: Float32Array.of(0.01, 0.02) }],
    ]),
  ),
  'memory',
);

const stored = (tensor: string) => ({ tensor });
const spec = {
  name: 'net',
  op: 'resnet',
  attrs: {},
  inputs: [],
  outputs: [],
  upstream: [],
  grads: [],
  param_names: ['first', 'second'],
  grad_summary: {
    norm: stored('norm'),
    norm_atol: stored('norm_atol'),
    index: stored('index'),
    value: stored('value'),
    value_atol: stored('value_atol'),
    outlier_fraction: 0.1,
  },
};

async function check(gradients: Readonly<Record<string, Record<number, number>>>) {
  const context = new CaseContext(undefined as unknown as Gpu, spec, file);
  await checkGradientSummary(context, async (name) =>
    Float32Array.from({ length: 10 }, (_, i) => gradients[name]?.[i] ?? 1),
  );
  context.finish();
  return context.checks;
}

describe('checkGradientSummary', () => {
  it('passes gradients within their tolerances', async () => {
    const checks = await check({ second: { 3: 1.01 } });
    expect(checks.map(({ tensor }) => tensor)).toEqual(['gradient norms', 'gradient summary']);
    expect(checks.some(hasFailed)).toBe(false);
  });

  it('excuses the allowed share of outliers, and reports the largest error that is left', async () => {
    const checks = await check({ first: { 4: 1.5, 6: 1.005 } });
    expect(checks[1]).toMatchObject({ bad: 0 });
    expect(checks[1]!.worstRatio).toBeCloseTo(0.5, 2);
  });

  it('fails on more outliers than allowed, naming the parameter of the worst', async () => {
    const checks = await check({ first: { 4: 1.1 }, second: { 9: 1.5 } });
    expect(checks[1]).toMatchObject({ bad: 2, label: 'second', worst: { index: 9, got: 1.5, expected: 1 } });
  });

  it('excuses no NaN', async () => {
    const checks = await check({ first: { 4: Number.NaN } });
    expect(checks.every(hasFailed)).toBe(true);
  });

  it('checks the norm, which sees what no sampled entry shows', async () => {
    const checks = await check({ second: { 2: 4 } });
    expect(checks.map(hasFailed)).toEqual([true, false]);
    expect(checks[0]).toMatchObject({ label: 'second', worst: { index: 1 } });
  });
});
