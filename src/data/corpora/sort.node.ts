/** Sorting streams that don't fit into memory, and joining sorted ones. */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Keyed<T> {
  readonly key: string;
  readonly value: T;
}

/** What is held in memory at a time, per stream. */
const ROWS = 16_384;
const CHARACTERS = 8_000_000;

/**
 * The items in the order of their keys; equal keys keep their order. At most `rows` items are in memory at a time:
 * sorted runs go to a temporary folder and are merged from there. Values must be plain JSON.
 */
export async function* sortByKey<T>(source: AsyncIterable<Keyed<T>>, rows = ROWS): AsyncGenerator<Keyed<T>> {
  let buffer: Keyed<T>[] = [];
  let characters = 0;
  let folder: string | undefined;
  const files: string[] = [];
  const byKey = (a: Keyed<T>, b: Keyed<T>): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
  const spill = async (): Promise<void> => {
    folder ??= await mkdtemp(join(tmpdir(), 'groundray-sort-'));
    const path = join(folder, `${files.length}.jsonl`);
    await writeFile(path, linesOf(buffer.sort(byKey)));
    files.push(path);
    buffer = [];
    characters = 0;
  };
  try {
    for await (const item of source) {
      buffer.push(item);
      characters += item.key.length + sizeOf(item.value);
      if (buffer.length >= rows || characters >= CHARACTERS) await spill();
    }
    if (files.length === 0) yield* buffer.sort(byKey);
    else {
      if (buffer.length > 0) await spill();
      yield* merge<T>(files);
    }
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true });
  }
}

function* linesOf(items: readonly unknown[]): Generator<string> {
  for (const item of items) yield `${JSON.stringify(item)}\n`;
}

/** Characters of the strings in a flat value, roughly. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.values(value).reduce<number>((sum, part) => sum + sizeOf(part), 0);
}

/** Characters of a run that are in memory while it is merged; node:readline would hold a thousand lines of each. */
const BLOCK = 16_384;

async function* linesOfRun(input: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const block of input) {
    const lines = (rest + block).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

async function* merge<T>(files: readonly string[]): AsyncGenerator<Keyed<T>> {
  const heads: { item: Keyed<T>; rest: AsyncIterator<string> }[] = [];
  const streams = files.map((file) => createReadStream(file, { highWaterMark: BLOCK, encoding: 'utf8' }));
  const parse = (line: string): Keyed<T> => JSON.parse(line) as Keyed<T>;
  try {
    for (const input of streams) {
      const rest = linesOfRun(input);
      const first = await rest.next();
      if (!first.done) heads.push({ item: parse(first.value), rest });
    }
    while (heads.length > 0) {
      // Runs are few, a heap would not be faster. The first of equal keys is that of the earlier run.
      let least = 0;
      heads.forEach(({ item }, i) => {
        if (item.key < (heads[least]?.item.key ?? '')) least = i;
      });
      const head = heads[least];
      if (!head) return;
      yield head.item;
      const next = await head.rest.next();
      if (next.done) heads.splice(least, 1);
      else head.item = parse(next.value);
    }
  } finally {
    for (const stream of streams) stream.destroy();
  }
}

/** Looks keys up in a sorted stream. Keys must be asked for in ascending order; a key may be asked for again. */
export class SortedLookup<T> {
  private readonly items: AsyncIterator<Keyed<T>>;
  private current: Keyed<T> | undefined;
  private started = false;

  constructor(source: AsyncIterable<Keyed<T>>) {
    this.items = source[Symbol.asyncIterator]();
  }

  /** The value of the key, the first one where it has several; undefined where it has none. */
  async get(key: string): Promise<T | undefined> {
    if (!this.started) await this.advance();
    while (this.current && this.current.key < key) await this.advance();
    return this.current?.key === key ? this.current.value : undefined;
  }

  /** All that has not been read yet. */
  async *rest(): AsyncGenerator<Keyed<T>> {
    if (!this.started) await this.advance();
    while (this.current) {
      yield this.current;
      await this.advance();
    }
  }

  /** Lets the source remove its temporary files, also where it was not read to its end. */
  async close(): Promise<void> {
    await this.items.return?.();
  }

  private async advance(): Promise<void> {
    this.started = true;
    const next = await this.items.next();
    this.current = next.done ? undefined : next.value;
  }
}
