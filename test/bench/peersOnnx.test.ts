import { describe, expect, it } from 'vitest';
import { constant, uniform } from '../../bench/peers/host.ts';
import { decodeModel, encodeModel } from '../../bench/peers/onnx/proto.ts';

describe('the ONNX builder', () => {
  const weight = uniform([2, 3], 1);
  const bytes = encodeModel({
    nodes: [
      { op: 'MatMul', inputs: ['x', 'w'], output: 'product' },
      {
        op: 'Softmax',
        inputs: ['product'],
        output: 'y',
        attributes: { axis: -1, epsilon: { float: 0.5 }, pads: [1, 2] },
      },
    ],
    inputs: { x: [1, 2] },
    outputs: { y: [1, 3] },
    weights: { w: weight, shape: { shape: [2], data: Int32Array.of(1, -3) } },
  });
  const model = decodeModel(bytes) as {
    graph: {
      node: { op_type: string; input: string[]; output: string[]; attribute?: Record<string, unknown>[] }[];
      initializer: { name: string; dims: number[]; data_type: number; raw_data: Uint8Array }[];
      input: { name: string; type: { tensor_type: { elem_type: number; shape: { dim: { dim_value: number }[] } } } }[];
    };
    opset_import: { domain: string; version: number }[];
  };

  it('writes nodes with their attributes in order', () => {
    const [product, softmax] = model.graph.node;
    expect(product).toMatchObject({ op_type: 'MatMul', input: ['x', 'w'], output: ['product'] });
    expect(softmax?.attribute).toEqual([
      { name: 'axis', i: -1, type: 2 },
      { name: 'epsilon', f: 0.5, type: 1 },
      { name: 'pads', ints: [1, 2], type: 7 },
    ]);
  });

  it('writes float weights as they are and integer weights with 64 bits', () => {
    const [w, shape] = model.graph.initializer;
    expect(w).toMatchObject({ name: 'w', dims: [2, 3], data_type: 1 });
    expect(new Float32Array(Uint8Array.from(w!.raw_data).buffer)).toEqual(weight.data);
    expect(shape).toMatchObject({ name: 'shape', dims: [2], data_type: 7 });
    expect([...new BigInt64Array(Uint8Array.from(shape!.raw_data).buffer)]).toEqual([1n, -3n]);
  });

  it('declares the shapes of inputs and the operator sets', () => {
    expect(model.graph.input).toEqual([
      { name: 'x', type: { tensor_type: { elem_type: 1, shape: { dim: [{ dim_value: 1 }, { dim_value: 2 }] } } } },
    ]);
    expect(model.opset_import.map(({ version }) => version)).toEqual([17, 1]);
  });

  it('writes the same bytes for the same model', () => {
    const graph = { nodes: [], inputs: { x: [1] }, outputs: { x: [1] }, weights: { c: constant([1], 2) } };
    expect(encodeModel(graph)).toEqual(encodeModel(graph));
  });
});
