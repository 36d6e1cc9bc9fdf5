import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commonCard, standInGpu } from '../../../src/gpu/standIn.ts';
import { fileStore, nodeRuntime } from '../../../src/kernels/tuning/fileStore.node.ts';
import { indexedDbStore } from '../../../src/kernels/tuning/indexedDbStore.ts';
import { openTuning } from '../../../src/kernels/tuning/open.ts';
import type { TunedPlan } from '../../../src/kernels/tuning/plans.ts';
import { parseTable, type TableStore, tableName, targetOf } from '../../../src/kernels/tuning/table.ts';
import { temporaryFolder } from '../../support/tinyRun.ts';

const runtime = 'webgpu 1.2.3';
const plan: TunedPlan = { core: 'tile128x64', splits: 4, gain: 1.25 };
const target = targetOf(commonCard.adapter, runtime);

async function open(store: TableStore, mode: 'cached' | 'on' | 'off' = 'cached') {
  const warnings: string[] = [];
  const gpu = standInGpu();
  const tuning = await openTuning(gpu, { mode, runtime, store, warn: (sentence) => warnings.push(sentence) });
  return { ...tuning, warnings };
}

describe('tuned plans in a folder', () => {
  it('come back in the next process', async () => {
    const store = fileStore(join(temporaryFolder(), 'not', 'yet', 'there'));
    const first = await open(store);
    expect([...first.plans.known]).toEqual([]);
    first.plans.add('matmul nn 64x64x64 vec4 f32', plan);
    await first.save();
    const second = await open(store);
    expect([...second.plans.known]).toEqual([['matmul nn 64x64x64 vec4 f32', plan]]);
    expect([first.warnings, second.warnings]).toEqual([[], []]);
    expect([...(await open(store, 'off')).plans.known]).toEqual([]);
  });

  it('join those that another process has written meanwhile', async () => {
    const store = fileStore(temporaryFolder());
    const [first, second] = [await open(store), await open(store)];
    first.plans.add('a', plan);
    await first.save();
    second.plans.add('b', plan);
    await second.save();
    expect([...(await open(store)).plans.known.keys()].sort()).toEqual(['a', 'b']);
  });

  const damaged: Readonly<Record<string, string>> = {
    'half a file': '{"target": {"adapter": "',
    'another format': '[1, 2, 3]',
    'an unknown core': JSON.stringify({ target, plans: { a: { ...plan, core: 'tile7' } } }),
    'no splits': JSON.stringify({ target, plans: { a: { ...plan, splits: 0 } } }),
    'another adapter': JSON.stringify({ target: { ...target, adapter: 'another card' }, plans: { a: plan } }),
    'another runtime': JSON.stringify({ target: { ...target, runtime: 'webgpu 0.0.1' }, plans: { a: plan } }),
    'other kernels': JSON.stringify({ target: { ...target, kernels: '00000000' }, plans: { a: plan } }),
  };
  for (const [what, content] of Object.entries(damaged)) {
    it(`are ignored with a warning, and replaced: ${what}`, async () => {
      const folder = temporaryFolder();
      mkdirSync(folder, { recursive: true });
      const path = join(folder, `${tableName(target)}.json`);
      writeFileSync(path, content);
      const { plans, save, warnings } = await open(fileStore(folder));
      expect([...plans.known]).toEqual([]);
      expect(warnings).toEqual([expect.stringMatching(/are not used: .+\. They are replaced by the next tuning\.$/)]);
      plans.add('b', plan);
      await save();
      expect(readdirSync(folder)).toEqual([`${tableName(target)}.json`]);
      expect(parseTable(JSON.parse(readFileSync(path, 'utf8')), target)).toEqual({ b: plan });
    });
  }

  it('lie in another file for another adapter, driver or runtime', () => {
    const { adapter } = commonCard;
    const names = [
      target,
      targetOf({ ...adapter, description: 'another driver' }, runtime),
      targetOf({ ...adapter, kind: 'software' }, runtime),
      targetOf(adapter, 'webgpu 1.2.4'),
    ].map(tableName);
    expect(new Set(names).size).toBe(4);
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]+$/);
    expect(nodeRuntime()).toMatch(/^webgpu \d+\.\d+\.\d+$/);
  });
});

/** As much of IndexedDB as the store uses; every request succeeds in a later task. */
function fakeIndexedDb(): IDBFactory {
  const databases = new Map<string, Map<string, Map<string, unknown>>>();
  const later = (result: unknown, before?: (request: { onupgradeneeded?: () => void }) => void) => {
    const request: { result: unknown; onsuccess?: () => void; onupgradeneeded?: () => void } = { result };
    setTimeout(() => {
      before?.(request);
      request.onsuccess?.();
    });
    return request;
  };
  const open = (name: string) => {
    const isNew = !databases.has(name);
    const stores = databases.get(name) ?? new Map<string, Map<string, unknown>>();
    databases.set(name, stores);
    const objectStore = (store: string) => {
      const values = stores.get(store)!;
      return {
        get: (key: string) => later(values.get(key)),
        put: (value: unknown, key: string) => later(values.set(key, structuredClone(value)) && key),
      };
    };
    const database = {
      createObjectStore: (store: string) => stores.set(store, new Map()),
      transaction: () => ({ objectStore }),
    };
    return later(database, (request) => isNew && request.onupgradeneeded?.());
  };
  return { open } as unknown as IDBFactory;
}

describe('tuned plans in IndexedDB', () => {
  it('come back in the next page', async () => {
    const factory = fakeIndexedDb();
    const first = await open(indexedDbStore('plans', factory));
    first.plans.add('a', plan);
    await first.save();
    const { plans, warnings } = await open(indexedDbStore('plans', factory));
    expect([...plans.known]).toEqual([['a', plan]]);
    expect([...(await open(indexedDbStore('others', factory))).plans.known]).toEqual([]);
    expect(warnings).toEqual([]);
  });
});
