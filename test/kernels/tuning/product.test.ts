import { describe, expect, it } from 'vitest';
import { bucketOf, type GemmProduct, productKey } from '../../../src/kernels/tuning/product.ts';

const product: GemmProduct = {
  kernel: 'matmul',
  form: 'nt',
  rows: 1000,
  cols: 768,
  depth: 3072,
  batch: 1,
  loads: 'vec4',
  dtypes: ['f32', 'f32', 'f32'],
};

describe('bucketOf', () => {
  it('rounds up to a power of two or to the middle between two of them', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 9, 13, 17, 25, 33, 49, 65].map(bucketOf)).toEqual([
      1, 1, 2, 3, 4, 6, 6, 8, 12, 16, 24, 32, 48, 64, 96,
    ]);
    expect(bucketOf(3136)).toBe(4096);
    expect(bucketOf(3072)).toBe(3072);
    expect(bucketOf(3073)).toBe(4096);
  });

  it('is not below the size, at most half as much again, and its own bucket', () => {
    for (let size = 1; size < 5000; size++) {
      const bucket = bucketOf(size);
      expect(bucket).toBeGreaterThanOrEqual(size);
      expect(bucket).toBeLessThan(1.5 * size + 1);
      expect(bucketOf(bucket)).toBe(bucket);
    }
  });
});

describe('productKey', () => {
  it('names kernel, form, buckets, loads and types', () => {
    expect(productKey(product)).toBe('matmul nt 1024x768x3072 vec4 f32');
    expect(productKey({ ...product, batch: 12, dtypes: ['f16', 'f16', 'f32'] })).toBe(
      'matmul nt 1024x768x3072 12 times vec4 f16-f16-f32',
    );
  });

  it('is shared by products of the same buckets only', () => {
    expect(productKey({ ...product, rows: 1024, depth: 2305 })).toBe(productKey(product));
    const others: Partial<GemmProduct>[] = [
      { kernel: 'conv2dForward' },
      { form: 'ntBias' },
      { rows: 1025 },
      { cols: 769 },
      { depth: 3073 },
      { batch: 2 },
      { loads: 'scalar' },
      { dtypes: ['f16', 'f32', 'f32'] },
    ];
    const keys = new Set([product, ...others.map((change) => ({ ...product, ...change }))].map(productKey));
    expect(keys.size).toBe(others.length + 1);
  });
});
