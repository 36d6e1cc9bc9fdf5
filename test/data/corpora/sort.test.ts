import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { type Keyed, SortedLookup, sortByKey } from '../../../src/data/corpora/sort.node.ts';
import { createRandom } from '../../../src/data/random.ts';

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
const folders = (): number => readdirSync(tmpdir()).filter((name) => name.startsWith('groundray-sort-')).length;

describe('sorting on disk', () => {
  it('gives every item in the order of its key, equal keys in the order they came', async () => {
    const random = createRandom(1);
    const items = Array.from({ length: 1000 }, (_, value): Keyed<number> => ({ key: `k${random.int(0, 300)}`, value }));
    const want = items.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.value - b.value));
    for (const rows of [16, 333, 5000]) expect(await all(sortByKey(from(items), rows)), `${rows}`).toEqual(want);
  });

  it('removes its temporary files, also when the reader stops early', async () => {
    const items = Array.from({ length: 100 }, (_, value) => ({ key: String(value), value }));
    const before = folders();
    const lookup = new SortedLookup(sortByKey(from(items), 10));
    expect(await lookup.get('42')).toBe(42);
    expect(folders()).toBe(before + 1);
    await lookup.close();
    expect(folders()).toBe(before);
  });

  it('is looked up by ascending keys, those without a value too', async () => {
    const items = ['b', 'd', 'd', 'f'].map((key, value) => ({ key, value }));
    const lookup = new SortedLookup(from(items));
    const found = [];
    for (const key of ['a', 'b', 'b', 'c', 'd', 'f', 'g']) found.push(await lookup.get(key));
    expect(found).toEqual([undefined, 0, 0, undefined, 1, 3, undefined]);
  });
});
