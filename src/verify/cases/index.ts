import type { CaseRunner, CaseRunners } from './operator.ts';

/** The files of this folder; each is loaded when the first of its operators comes up. */
const families: readonly (readonly [operators: readonly string[], load: () => Promise<{ runners: CaseRunners }>])[] = [
  [
    // biome-ignore format: a list of names
    ['add', 'sub', 'mul', 'div', 'maximum', 'neg', 'exp', 'log', 'sqrt', 'rsqrt', 'tanh', 'gelu', 'relu', 'sigmoid',
      'abs', 'square', 'reciprocal', 'erf', 'clamp'],
    () => import('./elementwise.ts'),
  ],
  [['matmul', 'linear'], () => import('./matmul.ts')],
];

/** How the operator of a case is run; undefined if the engine does not have it. */
export async function findRunner(op: string): Promise<CaseRunner | undefined> {
  const family = families.find(([operators]) => operators.includes(op));
  return family && (await family[1]()).runners[op];
}
