import type { CaseContext } from './caseContext.ts';
import { summaryTitle } from './caseContext.ts';
import { compareValues, errorRatio } from './compare.ts';
import { FixtureError } from './errors.ts';
import { norm } from './statistics.ts';

/** Gradient of a parameter in the published order of axes. */
export type GradientOf = (parameter: string) => Promise<ArrayLike<number>>;

/**
 * Checks norm and sampled entries of the gradient of every parameter. Some entries may miss: a value beside a kink of
 * ReLU may fall to the other side in float32.
 */
export async function checkGradientSummary(context: CaseContext, gradientOf: GradientOf): Promise<void> {
  const { grad_summary: summary, param_names: names } = context.spec;
  if (!summary) return;
  if (!names) throw new FixtureError(`Case "${context.spec.name}" has a gradient summary, but no param_names.`);
  const indices = context.stored(summary.index.tensor);
  const perParameter = indices.data.length / names.length;
  const norms: number[] = [];
  const entries: number[] = [];
  for (const [p, name] of names.entries()) {
    const gradient = await gradientOf(name);
    norms.push(norm(gradient));
    for (const index of indices.data.subarray(p * perParameter, (p + 1) * perParameter)) {
      entries.push(gradient[index] ?? Number.NaN);
    }
  }
  const expectedNorms = context.stored(summary.norm.tensor, [names.length]);
  const normTolerance = context.stored(summary.norm_atol.tensor, [names.length]).data;
  const compared = compareValues(norms, expectedNorms.data, { rtol: 0, atol: normTolerance });
  const label = compared.worst && names[compared.worst.index];
  context.add({ tensor: 'gradient norms', shape: expectedNorms.shape, ...compared, ...(label ? { label } : {}) });

  const expected = context.stored(summary.value.tensor, indices.shape);
  const tolerances = context.stored(summary.value_atol.tensor, [names.length]).data;
  const atol = Float32Array.from(entries, (_, i) => tolerances[Math.floor(i / perParameter)] ?? 0);
  const allowed = Math.floor(summary.outlier_fraction * entries.length);
  const all = compareValues(entries, expected.data, { rtol: 0, atol });
  const ratios = entries.map((got, i) => errorRatio(got, expected.data[i] ?? Number.NaN, atol[i] ?? 0));
  // The largest error that is not excused as an outlier; a NaN is no outlier.
  const excused = entries.every(Number.isFinite) ? allowed : 0;
  const worstRatio = ratios.toSorted((a, b) => b - a)[excused] ?? 0;
  const passes = worstRatio <= 1;
  const worstName = all.worst && names[Math.floor(all.worst.index / perParameter)];
  context.add({
    tensor: summaryTitle,
    shape: expected.shape,
    elements: entries.length,
    bad: passes ? 0 : all.bad,
    worstRatio,
    ...(!passes && all.worst ? { worst: all.worst } : {}),
    ...(!passes && worstName ? { label: worstName } : {}),
  });
}
