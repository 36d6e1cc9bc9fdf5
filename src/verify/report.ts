import type { Mismatch } from './compare.ts';

/** Comparison of one tensor of a case. */
export interface TensorCheck {
  /** `y`, `gradient of x`, ... */
  readonly tensor: string;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly bad: number;
  /** Largest error as a multiple of its tolerance. */
  readonly worstRatio: number;
  readonly worst?: Mismatch;
  /** What the worst element belongs to, where its index does not say it. */
  readonly label?: string;
  /** Why the tensor fails as a whole: another shape, no values. */
  readonly problem?: string;
}

export interface CaseReport {
  readonly group: string;
  readonly name: string;
  readonly op: string;
  readonly status: 'passed' | 'failed' | 'unsupported';
  /** Why the case did not come to its comparisons. */
  readonly problem?: string;
  readonly checks: readonly TensorCheck[];
  readonly milliseconds: number;
}

/** Counts of a group; `failed` includes the unsupported ones. */
export interface GroupReport {
  readonly group: string;
  readonly cases: number;
  readonly passed: number;
  readonly failed: number;
  readonly unsupported: number;
  readonly worst: { readonly ratio: number; readonly case: string; readonly tensor: string };
  readonly failures: readonly CaseReport[];
  readonly milliseconds: number;
}

export function hasFailed(check: TensorCheck): boolean {
  return check.bad > 0 || check.problem !== undefined;
}

export function summarizeGroup(group: string, cases: readonly CaseReport[]): GroupReport {
  const failures = cases.filter((report) => report.status !== 'passed');
  let worst = { ratio: 0, case: '', tensor: '' };
  for (const report of cases) {
    for (const { tensor, worstRatio } of report.checks) {
      if (worstRatio > worst.ratio) worst = { ratio: worstRatio, case: report.name, tensor };
    }
  }
  return {
    group,
    cases: cases.length,
    passed: cases.length - failures.length,
    failed: failures.length,
    unsupported: failures.filter((report) => report.status === 'unsupported').length,
    worst,
    failures,
    milliseconds: cases.reduce((sum, report) => sum + report.milliseconds, 0),
  };
}
