import { TensorFileError } from '../errors.ts';
import type { TensorDtype } from '../tensorDtypes.ts';
import { PickleGlobal, PickleStub } from './pickleValues.ts';
import type { PickleWorld } from './unpickle.ts';

/** Element types by the names of PyTorch's storage classes and dtypes; the others have no counterpart in safetensors. */
const storageTypes: Readonly<Record<string, { readonly bytes: number; readonly dtype?: TensorDtype }>> = {
  DoubleStorage: { bytes: 8, dtype: 'F64' },
  FloatStorage: { bytes: 4, dtype: 'F32' },
  HalfStorage: { bytes: 2, dtype: 'F16' },
  BFloat16Storage: { bytes: 2, dtype: 'BF16' },
  LongStorage: { bytes: 8, dtype: 'I64' },
  IntStorage: { bytes: 4, dtype: 'I32' },
  ShortStorage: { bytes: 2, dtype: 'I16' },
  CharStorage: { bytes: 1, dtype: 'I8' },
  ByteStorage: { bytes: 1, dtype: 'U8' },
  BoolStorage: { bytes: 1, dtype: 'BOOL' },
  UntypedStorage: { bytes: 1, dtype: 'U8' },
  ComplexFloatStorage: { bytes: 8 },
  ComplexDoubleStorage: { bytes: 16 },
  QInt8Storage: { bytes: 1 },
  QUInt8Storage: { bytes: 1 },
  QInt32Storage: { bytes: 4 },
};

const dtypes: Readonly<Record<string, TensorDtype>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
  float8_e5m2: 'F8_E5M2',
  float8_e4m3fn: 'F8_E4M3',
};

/** A run of elements outside the pickle; several tensors may share one. */
export class TorchStorage {
  readonly key: string;
  readonly type: string;
  /** 0 for a type that is not known. */
  readonly elementBytes: number;
  readonly dtype: TensorDtype | undefined;
  /** Number of elements. */
  readonly length: number;
  /** Elements before this storage in the one of the same key; old files have storages that are views of others. */
  readonly offset: number;

  constructor(key: string, type: string, length: number, offset = 0) {
    const known = Object.hasOwn(storageTypes, type) ? storageTypes[type] : undefined;
    const { bytes, dtype } = known ?? { bytes: 0 };
    this.key = key;
    this.type = type;
    this.elementBytes = bytes;
    this.dtype = dtype;
    this.length = length;
    this.offset = offset;
  }
}

/** A view of a storage; `offset` and `strides` count elements. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly dtype: TensorDtype;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(
    storage: TorchStorage,
    dtype: TensorDtype,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    this.storage = storage;
    this.dtype = dtype;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= 64 && value.every(isCount);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** `torch.cuda.FloatStorage` and `torch.FloatStorage` are the same on disk. */
function storageTypeOf(type: unknown): string {
  const name = type instanceof PickleGlobal ? type.name : String(type);
  return name.slice(name.lastIndexOf('.') + 1);
}

function dtypeOf(value: unknown): TensorDtype | undefined {
  const name = value instanceof PickleGlobal ? value.name : '';
  return name.startsWith('torch.') ? dtypes[name.slice('torch.'.length)] : undefined;
}

/** @param given type of the elements where the storage does not say it */
function tensorOf(name: string, args: readonly unknown[], given?: TensorDtype): unknown {
  const [storage, offset, shape, strides] = args;
  if (!(storage instanceof TorchStorage)) return new PickleStub(name, args);
  const dtype = given ?? storage.dtype;
  if (dtype === undefined) return new PickleStub(name, args);
  if (!isCount(offset) || !isSizes(shape) || !isSizes(strides) || shape.length !== strides.length) {
    return new PickleStub(name, args);
  }
  return new TorchTensor(storage, dtype, offset, shape, strides);
}

/** The functions and classes that mean something for tensors. They are recognised by name; none exists here. */
const known: Readonly<Record<string, (args: readonly unknown[], name: string) => unknown>> = {
  'torch._utils._rebuild_tensor': (args, name) => tensorOf(name, args),
  'torch._utils._rebuild_tensor_v2': (args, name) => tensorOf(name, args),
  'torch._utils._rebuild_tensor_v3': (args, name) => {
    const dtype = dtypeOf(args[6]);
    return dtype === undefined ? new PickleStub(name, args) : tensorOf(name, args, dtype);
  },
  'torch._utils._rebuild_parameter': ([data]) => data,
  'torch._utils._rebuild_parameter_with_state': ([data]) => data,
  'torch._tensor._rebuild_from_type_v2': ([callee, , args], name) =>
    callee instanceof PickleGlobal && Array.isArray(args) ? callKnown(callee, args) : new PickleStub(name, args),
  'torch.Size': ([sizes]) => (Array.isArray(sizes) ? sizes : []),
  'collections.OrderedDict': ([items]) => mapOf(items),
  'collections.defaultdict': () => new Map(),
  'builtins.dict': ([items]) => mapOf(items),
  'builtins.list': ([items]) => (Array.isArray(items) ? [...(items as unknown[])] : []),
  'builtins.tuple': ([items]) => (Array.isArray(items) ? [...(items as unknown[])] : []),
  'builtins.set': ([items]) => new Set(Array.isArray(items) ? (items as unknown[]) : []),
  'builtins.frozenset': ([items]) => new Set(Array.isArray(items) ? (items as unknown[]) : []),
};

function mapOf(items: unknown): Map<unknown, unknown> {
  if (items instanceof Map) return new Map(items as Map<unknown, unknown>);
  const map = new Map<unknown, unknown>();
  if (Array.isArray(items)) for (const pair of items) if (Array.isArray(pair)) map.set(pair[0], pair[1]);
  return map;
}

function callKnown(callee: PickleGlobal, args: readonly unknown[]): unknown {
  const name = callee.name.replace(/^__builtin__\./, 'builtins.');
  if (Object.hasOwn(known, name)) return known[name]?.(args, name);
  // Protocol 0 and 1 make objects by copyreg._reconstructor(class, base, state).
  const [first] = args;
  if (/^(copyreg|copy_reg)\._reconstructor$/.test(name) && first instanceof PickleGlobal) {
    return new PickleStub(first.name, args.slice(1));
  }
  return new PickleStub(name, args);
}

/** Collects the storages that a pickle of `torch.save` refers to. */
export function torchWorld(file: string): PickleWorld & { readonly storages: ReadonlyMap<string, TorchStorage> } {
  const storages = new Map<string, TorchStorage>();
  const remember = (storage: TorchStorage): void => {
    const before = storages.get(storage.key);
    if (before && (before.elementBytes !== storage.elementBytes || before.length !== storage.length)) {
      throw new TensorFileError(`${file} is damaged: it describes storage ${storage.key} in two ways.`);
    }
    if (!before) storages.set(storage.key, storage);
  };
  return {
    storages,
    call: callKnown,
    persistent(id) {
      const [tag, type, key, , length, view] = Array.isArray(id) ? (id as unknown[]) : [];
      const isKey = typeof key === 'string' || typeof key === 'number';
      if (tag === 'module') return type;
      if (tag !== 'storage' || !isKey || !isCount(length)) {
        throw new TensorFileError(`${file} refers to something outside its pickle that is no storage of torch.save.`);
      }
      const root = new TorchStorage(String(key), storageTypeOf(type), length);
      remember(root);
      const [, offset, size] = Array.isArray(view) ? (view as unknown[]) : [];
      return isCount(offset) && isCount(size) ? new TorchStorage(root.key, root.type, size, offset) : root;
    },
  };
}
