import { z } from 'zod';
import * as ops from '../../autograd/ops/elementwise.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import type { CaseRunner, CaseRunners } from './operator.ts';
import { noAttributes, operator } from './operator.ts';

const unary = (op: (x: Tensor) => Tensor): CaseRunner => operator(noAttributes, (inputs) => op(inputs.get('x')));

const binary = (op: (a: Tensor, b: Tensor) => Tensor): CaseRunner =>
  operator(noAttributes, (inputs) => op(inputs.get('a'), inputs.get('b')));

export const runners: CaseRunners = {
  add: binary(ops.add),
  sub: binary(ops.sub),
  mul: binary(ops.mul),
  div: binary(ops.div),
  maximum: binary(ops.maximum),
  neg: unary(ops.neg),
  exp: unary(ops.exp),
  log: unary(ops.log),
  sqrt: unary(ops.sqrt),
  rsqrt: unary(ops.rsqrt),
  tanh: unary(ops.tanh),
  gelu: unary(ops.gelu),
  relu: unary(ops.relu),
  sigmoid: unary(ops.sigmoid),
  abs: unary(ops.abs),
  square: unary(ops.square),
  reciprocal: unary(ops.reciprocal),
  erf: unary(ops.erf),
  clamp: operator(z.object({ min: z.number(), max: z.number() }), (inputs, { min, max }) =>
    ops.clamp(inputs.get('x'), min, max),
  ),
};
