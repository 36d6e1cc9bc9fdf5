import { expect, it } from 'vitest';
import { crossEntropy } from '../../src/autograd/ops/crossEntropy.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { describeKinds } from '../support/kinds.ts';
import { expectClose, gradcheck, randomInput, uniform } from '../support/numeric.ts';

describeKinds('crossEntropy', (gpu) => {
  for (const [rows, classes] of [
    [1, 1],
    [3, 9],
    [65, 129],
    [2, 3000],
  ] as const) {
    it(`scores ${rows} rows of ${classes} classes`, async () => {
      const x = uniform(rows, rows * classes, -4, 4);
      const labels = Array.from({ length: rows }, (_, i) => (i * 5) % classes);
      const expected = labels.map((label, row) => {
        const own = x.subarray(row * classes, (row + 1) * classes);
        return Math.log(own.reduce((sum, v) => sum + Math.exp(v), 0)) - own[label]!;
      });
      const logits = tensor(gpu(), x, [rows, classes]);
      const target = tensor(gpu(), labels, [rows], { dtype: 'i32' });
      const total = expected.reduce((a, b) => a + b, 0);
      expectClose(await crossEntropy(logits, target, 'none').data(), expected, 1e-6, 2e-6);
      expectClose(await crossEntropy(logits, target, 'sum').data(), [total], 2e-6, 2e-6);
      expectClose(await crossEntropy(logits, target).data(), [total / rows], 2e-6, 2e-6);
    });
  }

  it('has the right gradient with every reduction', async () => {
    const labels = () => tensor(gpu(), [3, 0, 2], [3], { dtype: 'i32' });
    for (const reduction of ['mean', 'sum', 'none'] as const) {
      await gradcheck(gpu(), [randomInput(1, [3, 5], -3, 3)], (x) => crossEntropy(x!, labels(), reduction));
    }
  });

  it('stays finite for logits of any size', async () => {
    const logits = tensor(gpu(), [1e4, 0, -1e4, -1e30, 2, 1], [2, 3]);
    const loss = await crossEntropy(logits, tensor(gpu(), [1, 1], [2], { dtype: 'i32' }), 'none').data();
    expectClose(loss, [1e4, Math.log1p(Math.exp(-1))], 1e-6, 1e-6);
  });

  it('refuses labels that do not fit the rows', () => {
    const logits = tensor(gpu(), [1, 2], [1, 2]);
    expect(() => crossEntropy(logits, tensor(gpu(), [0, 1], [2], { dtype: 'i32' }))).toThrow(/i32 labels \[rows\]/);
    expect(() => crossEntropy(logits, tensor(gpu(), [0], [1]))).toThrow(/f32 labels/);
  });
});
