import { TensorFileError } from '../errors.ts';
import type { ByteCursor } from './byteCursor.ts';
import { PickleGlobal, PickleStub } from './pickleValues.ts';

/** Decides what names mean. Whatever it does not know has to become a `PickleStub`. */
export interface PickleWorld {
  /** Result of calling the class or function `callee` with `args`. */
  call(callee: PickleGlobal, args: readonly unknown[]): unknown;
  /** The object that lives outside the pickle under `id`. */
  persistent(id: unknown): unknown;
}

/** Bounds of what a pickle may make: generous for real checkpoints, small enough for any machine. */
const mostOperations = 5_000_000;
const mostText = 2 ** 28;
const longestInteger = 1024;

const utf8 = new TextDecoder('utf-8');

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return text;
}

/** Little-endian two's complement. */
function integerOf(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  if ((bytes.at(-1) ?? 0) & 0x80) value -= 1n << BigInt(8 * bytes.length);
  return compact(value);
}

function compact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/**
 * Reads one pickle (protocols 0 to 5) as plain data. Nothing is imported, called or executed: names go to `world`, which
 * knows a few of them and makes inert stubs of the others.
 * @throws TensorFileError if it is damaged or beyond the bounds above.
 */
export function unpickle(cursor: ByteCursor, file: string, world: PickleWorld): unknown {
  const start = cursor.position;
  const bad = (what: string): TensorFileError =>
    new TensorFileError(
      `${file} is no pickle that can be read: ${what} (byte ${cursor.position - start} of the pickle).`,
    );
  const memo = new Map<number, unknown>();
  const marks: unknown[][] = [];
  let stack: unknown[] = [];
  let text = 0;

  const pop = (): unknown => {
    if (stack.length === 0) throw bad('a value is missing');
    return stack.pop();
  };
  const top = (): unknown => {
    if (stack.length === 0) throw bad('a value is missing');
    return stack.at(-1);
  };
  /** The values since the last mark. */
  const popMark = (): unknown[] => {
    const outer = marks.pop();
    if (!outer) throw bad('a mark is missing');
    const items = stack;
    stack = outer;
    return items;
  };
  const bytes = (length: number): Uint8Array<ArrayBuffer> => {
    text += length;
    if (text > mostText) throw bad(`its texts take more than ${mostText} bytes`);
    return cursor.bytes(length);
  };
  const get = (key: number): unknown => {
    if (!memo.has(key)) throw bad(`it refers to object ${key}, which it has not made`);
    return memo.get(key);
  };
  const integer = (digits: string): number | bigint => {
    const plain = digits.replace(/L$/, '').trim();
    if (!/^[-+]?\d+$/.test(plain) || plain.length > longestInteger) throw bad('a number cannot be read');
    return compact(BigInt(plain.replace(/^\+/, '')));
  };
  const longInteger = (length: number): number | bigint => {
    if (length < 0 || length > longestInteger) throw bad(`a number has ${length} bytes`);
    return integerOf(bytes(length));
  };
  const tupleOf = (count: number): void => {
    if (stack.length < count) throw bad('a value is missing');
    stack.push(stack.splice(stack.length - count, count));
  };
  const call = (callee: unknown, args: unknown): unknown => {
    const list = Array.isArray(args) ? (args as unknown[]) : [args];
    if (callee instanceof PickleGlobal) return world.call(callee, list);
    return new PickleStub(callee instanceof PickleStub ? callee.name : 'unknown', list);
  };
  const append = (target: unknown, items: readonly unknown[]): void => {
    if (Array.isArray(target)) for (const item of items) target.push(item);
    else if (target instanceof Set) for (const item of items) target.add(item);
    else if (!(target instanceof PickleStub)) throw bad('items are added to something that is no list');
  };
  const setItems = (target: unknown, items: readonly unknown[]): void => {
    if (items.length % 2 !== 0) throw bad('a key has no value');
    if (!(target instanceof Map)) {
      if (target instanceof PickleStub) return;
      throw bad('entries are added to something that is no dictionary');
    }
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  };
  const build = (target: unknown, state: unknown): void => {
    if (target instanceof PickleStub) target.state = state;
    // State of other objects (an OrderedDict's `_metadata`) says nothing about tensors.
  };

  for (let operations = 0; ; operations++) {
    if (operations > mostOperations) throw bad(`it has more than ${mostOperations} steps`);
    const code = cursor.u8();
    switch (code) {
      case 0x80: {
        const protocol = cursor.u8();
        if (protocol > 5) throw bad(`protocol ${protocol} is unknown`);
        break;
      }
      case 0x95: // FRAME
        cursor.u64();
        break;
      case 0x2e: // STOP
        return pop();
      case 0x28: // MARK
        marks.push(stack);
        stack = [];
        break;
      case 0x30: // POP
        if (stack.length === 0) popMark();
        else stack.pop();
        break;
      case 0x31: // POP_MARK
        popMark();
        break;
      case 0x32: // DUP
        stack.push(top());
        break;
      case 0x4e: // NONE
        stack.push(null);
        break;
      case 0x88: // NEWTRUE
      case 0x89: // NEWFALSE
        stack.push(code === 0x88);
        break;
      case 0x46: // FLOAT
        stack.push(Number(cursor.line()));
        break;
      case 0x47: // BINFLOAT
        stack.push(cursor.f64());
        break;
      case 0x49: {
        // INT, which also spells truth values
        const digits = cursor.line();
        stack.push(digits === '00' || digits === '01' ? digits === '01' : integer(digits));
        break;
      }
      case 0x4a: // BININT
        stack.push(cursor.i32());
        break;
      case 0x4b: // BININT1
        stack.push(cursor.u8());
        break;
      case 0x4d: // BININT2
        stack.push(cursor.u16());
        break;
      case 0x4c: // LONG
        stack.push(integer(cursor.line()));
        break;
      case 0x8a: // LONG1
        stack.push(longInteger(cursor.u8()));
        break;
      case 0x8b: // LONG4
        stack.push(longInteger(cursor.i32()));
        break;
      case 0x53: // STRING
        stack.push(cursor.line().replace(/^(['"])([\s\S]*)\1$/, '$2'));
        break;
      case 0x54: // BINSTRING
        stack.push(latin1(bytes(cursor.u32())));
        break;
      case 0x55: // SHORT_BINSTRING
        stack.push(latin1(bytes(cursor.u8())));
        break;
      case 0x56: // UNICODE
        stack.push(
          cursor
            .line()
            .replace(/\\u([0-9a-fA-F]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
        );
        break;
      case 0x58: // BINUNICODE
        stack.push(utf8.decode(bytes(cursor.u32())));
        break;
      case 0x8c: // SHORT_BINUNICODE
        stack.push(utf8.decode(bytes(cursor.u8())));
        break;
      case 0x8d: // BINUNICODE8
        stack.push(utf8.decode(bytes(cursor.u64())));
        break;
      case 0x42: // BINBYTES
        stack.push(bytes(cursor.u32()));
        break;
      case 0x43: // SHORT_BINBYTES
        stack.push(bytes(cursor.u8()));
        break;
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        stack.push(bytes(cursor.u64()));
        break;
      case 0x97: // NEXT_BUFFER
        throw bad('it has buffers outside the file');
      case 0x98: // READONLY_BUFFER
        break;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        stack.push([]);
        break;
      case 0x7d: // EMPTY_DICT
        stack.push(new Map());
        break;
      case 0x8f: // EMPTY_SET
        stack.push(new Set());
        break;
      case 0x6c: // LIST
      case 0x74: {
        // TUPLE
        const items = popMark();
        stack.push(items);
        break;
      }
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        tupleOf(code - 0x84);
        break;
      case 0x64: {
        // DICT
        const items = popMark();
        const map = new Map();
        setItems(map, items);
        stack.push(map);
        break;
      }
      case 0x91: {
        // FROZENSET
        const items = popMark();
        stack.push(new Set(items));
        break;
      }
      case 0x61: {
        // APPEND
        const item = pop();
        append(top(), [item]);
        break;
      }
      case 0x65: // APPENDS
      case 0x90: {
        // ADDITEMS
        const items = popMark();
        append(top(), items);
        break;
      }
      case 0x73: {
        // SETITEM
        const value = pop();
        const key = pop();
        setItems(top(), [key, value]);
        break;
      }
      case 0x75: {
        // SETITEMS
        const items = popMark();
        setItems(top(), items);
        break;
      }
      case 0x67: // GET
        stack.push(get(Number(cursor.line())));
        break;
      case 0x68: // BINGET
        stack.push(get(cursor.u8()));
        break;
      case 0x6a: // LONG_BINGET
        stack.push(get(cursor.u32()));
        break;
      case 0x70: // PUT
        memo.set(Number(cursor.line()), top());
        break;
      case 0x71: // BINPUT
        memo.set(cursor.u8(), top());
        break;
      case 0x72: // LONG_BINPUT
        memo.set(cursor.u32(), top());
        break;
      case 0x94: // MEMOIZE
        memo.set(memo.size, top());
        break;
      case 0x63: // GLOBAL
        stack.push(new PickleGlobal(`${cursor.line()}.${cursor.line()}`));
        break;
      case 0x93: {
        // STACK_GLOBAL
        const name = pop();
        stack.push(new PickleGlobal(`${String(pop())}.${String(name)}`));
        break;
      }
      case 0x82: // EXT1
        stack.push(new PickleGlobal(`extension.${cursor.u8()}`));
        break;
      case 0x83: // EXT2
        stack.push(new PickleGlobal(`extension.${cursor.u16()}`));
        break;
      case 0x84: // EXT4
        stack.push(new PickleGlobal(`extension.${cursor.i32()}`));
        break;
      case 0x69: {
        // INST
        const callee = new PickleGlobal(`${cursor.line()}.${cursor.line()}`);
        const args = popMark();
        stack.push(call(callee, args));
        break;
      }
      case 0x6f: {
        // OBJ
        const [callee, ...args] = popMark();
        stack.push(call(callee, args));
        break;
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const args = pop();
        stack.push(call(pop(), args));
        break;
      }
      case 0x92: {
        // NEWOBJ_EX
        pop(); // keyword arguments
        const args = pop();
        stack.push(call(pop(), args));
        break;
      }
      case 0x62: {
        // BUILD
        const state = pop();
        build(top(), state);
        break;
      }
      case 0x50: // PERSID
        stack.push(world.persistent(cursor.line()));
        break;
      case 0x51: // BINPERSID
        stack.push(world.persistent(pop()));
        break;
      default:
        throw bad(`the code ${code} is unknown`);
    }
  }
}
