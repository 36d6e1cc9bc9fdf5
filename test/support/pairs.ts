import { expect } from 'vitest';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { GroundingConfig } from '../../src/models/grounding.ts';
import type { PairBatch } from '../../src/models/objective.ts';
import { resNetConfig } from '../../src/models/resnet.ts';
import { expectClose, uniform } from './numeric.ts';

/** Both towers with a few channels; the images are 48 px, so that the last map has more than one cell. */
export function smallGrounding(dropout: number): GroundingConfig {
  return {
    visual: resNetConfig([1, 2, 1, 1], 4),
    localStage: 3,
    text: {
      vocabulary: 20,
      hidden: 8,
      layers: 2,
      heads: 2,
      intermediate: 8,
      maxPositions: 16,
      tokenTypes: 2,
      dropout,
      eps: 1e-12,
      pooler: false,
    },
    dimension: 12,
  };
}

const [tokens, size] = [7, 48];

/** Random pairs whose reports have one to three sentences. */
export function randomPairs(gpu: Gpu, rows: number, seed: number): PairBatch {
  const random = uniform(seed, rows * tokens, 0, 1);
  const ids = (value: (row: number, token: number) => number): Tensor =>
    tensor(
      gpu,
      Array.from({ length: rows * tokens }, (_, i) => value(Math.floor(i / tokens), i % tokens)),
      [rows, tokens],
      { dtype: 'i32' },
    );
  const length = (row: number): number => 3 + Math.floor((random[row * tokens] ?? 0) * (tokens - 2));
  const inside = (row: number, token: number): boolean => token > 0 && token < length(row) - 1;
  const pairs = Array.from({ length: rows * rows }, (_, i) => (i === 1 || i === rows ? 1 : 0));
  return {
    image: tensor(gpu, uniform(seed + 1, rows * size * size), [rows, size, size, 1]),
    ids: ids((row, token) => 1 + Math.floor((random[row * tokens + token] ?? 0) * 19)),
    mask: ids((row, token) => (token < length(row) ? 1 : 0)),
    sentences: { ids: ids((row, token) => (inside(row, token) ? Math.floor((token - 1) / 2) : -1)), count: 3 },
    words: { ids: ids((row, token) => (inside(row, token) ? token - 1 : -1)), count: 6 },
    duplicates: tensor(gpu, pairs, [rows, rows], { dtype: 'i32' }),
  };
}

export type NamedValues = Map<string, Float32Array>;

/**
 * Compares arrays by name, differences measured against the largest element of the array: single elements may cancel to
 * almost nothing.
 */
export function expectSame(got: NamedValues, expected: NamedValues, tolerance = 2e-5): void {
  expect([...got.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, values] of expected) {
    // A shift of all keys changes no attention: the gradient is rounding.
    if (name.includes('key.bias')) continue;
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
    try {
      expectClose(got.get(name) ?? [], values, 0, tolerance * scale);
    } catch (error) {
      expect.fail(`${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
}
