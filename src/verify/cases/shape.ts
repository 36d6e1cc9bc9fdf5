import { z } from 'zod';
import { cat, expand, pad, permute, reshape, slice, stack } from '../../autograd/ops/shape.ts';
import type { CaseRunners } from './operator.ts';
import { operator } from './operator.ts';

const numbers = z.array(z.int());

export const runners: CaseRunners = {
  slice: operator(z.object({ slices: z.array(z.tuple([z.int(), z.int(), z.int()])) }), (inputs, { slices }) =>
    slice(inputs.get('x'), slices),
  ),
  cat: operator(z.object({ dim: z.int().default(0) }), (inputs, { dim }) => cat(inputs.all(), dim)),
  stack: operator(z.object({ dim: z.int().default(0) }), (inputs, { dim }) => stack(inputs.all(), dim)),
  pad: operator(
    z.object({ pads: z.array(z.tuple([z.int(), z.int()])), value: z.number().default(0) }),
    (inputs, { pads, value }) => pad(inputs.get('x'), pads, value),
  ),
  permute: operator(z.object({ dims: numbers }), (inputs, { dims }) => permute(inputs.get('x'), dims)),
  reshape: operator(z.object({ shape: numbers }), (inputs, { shape }) => reshape(inputs.get('x'), shape)),
  expand: operator(z.object({ shape: numbers }), (inputs, { shape }) => expand(inputs.get('x'), shape)),
  permute_reshape: operator(z.object({ dims: numbers, shape: numbers }), (inputs, { dims, shape }) =>
    reshape(permute(inputs.get('x'), dims), shape),
  ),
};
