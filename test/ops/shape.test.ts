import { describe, expect, it } from 'vitest';
import { cat, expand, pad, permute, reshape, slice, stack } from '../../src/autograd/ops/shape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { contiguousStrides, numel } from '../../src/kernels/shape.ts';
import { useGpu } from '../support/gpu.ts';
import { gradcheck, randomInput } from '../support/numeric.ts';

const gpu = useGpu();

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('slice', () => {
  it('follows the rules of Python for negative bounds, bounds beyond the ends and negative steps', async () => {
    const x = tensor(gpu(), range(10), [10]);
    const cases = [
      [
        [2, 8, 3],
        [2, 5],
      ],
      [
        [-3, 100, 1],
        [7, 8, 9],
      ],
      [
        [8, 2, -3],
        [8, 5],
      ],
      [
        [9, -11, -4],
        [9, 5, 1],
      ],
      [[5, 5, 1], []],
      [[5, 2, 1], []],
    ] as const;
    for (const [interval, expected] of cases) {
      expect([...(await slice(x, [[...interval]]).data())]).toEqual([...expected]);
    }
  });

  it('keeps axes without a range and slices views of views', async () => {
    const x = tensor(gpu(), range(24), [2, 3, 4]);
    const y = slice(permute(slice(x, [[1, 2]]), [2, 0, 1]), [[3, 0, -2]]);
    expect(y.shape).toEqual([2, 1, 3]);
    expect([...(await y.data())]).toEqual([15, 19, 23, 13, 17, 21]);
  });

  it('has the right gradient with steps of both signs', async () => {
    await gradcheck(gpu(), [randomInput(1, [5, 7, 3])], (x) =>
      slice(x!, [
        [4, 0, -2],
        [1, 7, 3],
        [0, 2],
      ]),
    );
  });

  it('refuses a step of zero and more ranges than axes', () => {
    const x = tensor(gpu(), [1, 2], [2]);
    expect(() => slice(x, [[0, 2, 0]])).toThrow(/step other than 0/);
    expect(() =>
      slice(x, [
        [0, 1],
        [0, 1],
      ]),
    ).toThrow(/2 ranges/);
  });
});

describe('cat and stack', () => {
  it('joins many parts, empty ones and views along an inner axis', async () => {
    const parts = range(9).map((n) =>
      tensor(
        gpu(),
        range(2 * n).map((i) => 100 * n + i),
        [2, n],
      ),
    );
    const y = cat(parts, 1);
    expect(y.shape).toEqual([2, 36]);
    const expected = [0, 1].flatMap((row) => range(9).flatMap((n) => range(n).map((i) => 100 * n + row * n + i)));
    expect([...(await y.data())]).toEqual(expected);
  });

  it('keeps integers as they are', async () => {
    const a = tensor(gpu(), [1, -2], [2], { dtype: 'i32' });
    const y = stack([a, a], 1);
    expect(y.dtype).toBe('i32');
    expect([...(await y.data())]).toEqual([1, 1, -2, -2]);
  });

  it('has the right gradients, also where one tensor is joined with itself', async () => {
    await gradcheck(gpu(), [randomInput(1, [2, 3, 4]), randomInput(2, [2, 65, 4])], (a, b) => cat([a!, b!, a!], 1));
    await gradcheck(gpu(), [randomInput(1, [3, 2]), randomInput(2, [3, 2])], (a, b) => stack([a!, b!], -1));
  });

  it('refuses parts that differ in another axis', () => {
    expect(() => cat([tensor(gpu(), [1, 2], [1, 2]), tensor(gpu(), [1], [1, 1])], 0)).toThrow(/more than axis 0/);
  });
});

describe('pad', () => {
  it('surrounds the original with a value that gets no gradient', async () => {
    const y = pad(
      tensor(gpu(), [1, 2, 3, 4], [2, 2]),
      [
        [1, 0],
        [0, 2],
      ],
      -1,
    );
    expect([...(await y.data())]).toEqual([-1, -1, -1, -1, 1, 2, -1, -1, 3, 4, -1, -1]);
    await gradcheck(gpu(), [randomInput(3, [2, 5, 3])], (x) =>
      pad(
        x!,
        [
          [1, 2],
          [0, 0],
          [3, 1],
        ],
        0.5,
      ),
    );
  });
});

describe('views', () => {
  for (const [shape, dims] of [
    [
      [6, 8],
      [1, 0],
    ],
    [
      [2, 3, 4, 8],
      [0, 2, 1, 3],
    ],
    [
      [2, 3, 5, 3],
      [0, 2, 1, 3],
    ],
    [
      [3, 4, 5],
      [2, 1, 0],
    ],
    [
      [2, 3, 2, 3, 2],
      [4, 3, 2, 1, 0],
    ],
    [
      [2, 3, 2, 2, 2, 4],
      [4, 3, 2, 1, 0, 5],
    ],
    [
      [2, 3, 2, 2, 2, 3],
      [5, 4, 3, 2, 1, 0],
    ],
  ] as const) {
    it(`copies [${shape}] in the order of its axes [${dims}]`, async () => {
      const count = numel(shape);
      const y = permute(tensor(gpu(), range(count), shape), dims);
      const strides = contiguousStrides(shape);
      const expected = range(count).map((position) => {
        let [rest, from] = [position, 0];
        for (const axis of dims.toReversed()) {
          from += (rest % shape[axis]!) * strides[axis]!;
          rest = Math.floor(rest / shape[axis]!);
        }
        return from;
      });
      expect([...(await y.data())]).toEqual(expected);
    });
  }

  it('reshapes, permutes and repeats with the right gradients', async () => {
    await gradcheck(gpu(), [randomInput(4, [3, 1, 5])], (x) =>
      permute(reshape(expand(x!, [2, 3, 4, 5]), [6, -1]), [1, 0]),
    );
  });

  it('refuses a shape with another number of elements', () => {
    expect(() => reshape(tensor(gpu(), [1, 2, 3], [3]), [2, -1])).toThrow(/does not have the elements/);
    expect(() => expand(tensor(gpu(), [1, 2, 3], [3]), [2])).toThrow(/cannot be repeated/);
  });
});
