import protobuf from 'protobufjs';
import type { HostTensor } from '../host.ts';

/** The part of the ONNX format (onnx.proto3, IR version 10) that the benchmark's models need. */
const schema = `
syntax = "proto3";
message TensorProto { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
message AttributeProto {
  string name = 1; float f = 2; int64 i = 3; bytes s = 4; repeated int64 ints = 8; int32 type = 20;
}
message NodeProto {
  repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
  repeated AttributeProto attribute = 5; string domain = 7;
}
message Dimension { int64 dim_value = 1; }
message TensorShapeProto { repeated Dimension dim = 1; }
message TensorType { int32 elem_type = 1; TensorShapeProto shape = 2; }
message TypeProto { TensorType tensor_type = 1; }
message ValueInfoProto { string name = 1; TypeProto type = 2; }
message GraphProto {
  repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
}
message OperatorSetIdProto { string domain = 1; int64 version = 2; }
message ModelProto {
  int64 ir_version = 1; string producer_name = 2; GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8;
}
`;

const modelType = protobuf.parse(schema, { keepCase: true }).root.lookupType('ModelProto');

export type AttributeValue = number | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** A number is an integer attribute; `{ float }` says otherwise. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** `com.microsoft` for the operators of ONNX Runtime itself. */
  readonly domain?: string;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  /** Shapes of the inputs and outputs, all of float32. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  readonly weights: Readonly<Record<string, HostTensor>>;
}

const float32 = 1;
const int64 = 7;
const kinds = { float: 1, int: 2, ints: 7 } as const;

function attribute(name: string, value: AttributeValue): object {
  if (typeof value === 'number') return { name, i: value, type: kinds.int };
  return 'float' in value ? { name, f: value.float, type: kinds.float } : { name, ints: [...value], type: kinds.ints };
}

function tensor(name: string, { shape, data }: HostTensor): object {
  // Integer weights are shapes and axes, which ONNX has in 64 bits.
  const raw = data instanceof Int32Array ? BigInt64Array.from(data, BigInt) : data;
  const raw_data = new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
  return { name, dims: [...shape], data_type: data instanceof Int32Array ? int64 : float32, raw_data };
}

function valueInfo([name, shape]: readonly [string, readonly number[]]): object {
  const dim = shape.map((dim_value) => ({ dim_value }));
  return { name, type: { tensor_type: { elem_type: float32, shape: { dim } } } };
}

/** Bytes of an ONNX model, operator set 17. */
export function encodeModel({ nodes, inputs, outputs, weights }: OnnxGraph): Uint8Array {
  const message = {
    ir_version: 8,
    producer_name: 'groundray',
    opset_import: [
      { domain: '', version: 17 },
      { domain: 'com.microsoft', version: 1 },
    ],
    graph: {
      name: 'benchmark',
      node: nodes.map(({ op, inputs: names, output, attributes = {}, domain = '' }, i) => ({
        name: `${op}.${i}`,
        op_type: op,
        input: [...names],
        output: [output],
        domain,
        attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      })),
      initializer: Object.entries(weights).map(([name, host]) => tensor(name, host)),
      input: Object.entries(inputs).map(valueInfo),
      output: Object.entries(outputs).map(valueInfo),
    },
  };
  const problem = modelType.verify(message);
  if (problem) throw new Error(`The ONNX model cannot be written: ${problem}.`);
  return modelType.encode(modelType.fromObject(message)).finish();
}

/** What `encodeModel` wrote, as plain objects, for tests. */
export function decodeModel(bytes: Uint8Array): Record<string, unknown> {
  return modelType.toObject(modelType.decode(bytes), { longs: Number, defaults: false });
}
