import type { TableStore } from './table.ts';

const tables = 'tables';

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB gave no reason.'));
  });
}

/** Tables in the browser's IndexedDB, for pages of the same origin. */
export function indexedDbStore(name = 'groundray-tuning', factory: IDBFactory = indexedDB): TableStore {
  let opened: Promise<IDBDatabase> | undefined;
  const open = (): Promise<IDBDatabase> => {
    const request = factory.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(tables);
    return settled(request);
  };
  const inStore = async <T>(mode: IDBTransactionMode, use: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    opened ??= open();
    const database = await opened;
    return settled(use(database.transaction(tables, mode).objectStore(tables)));
  };
  return {
    place: `IndexedDB "${name}"`,
    read: (table) => inStore<unknown>('readonly', (store) => store.get(table)),
    write: async (table, content) => {
      await inStore('readwrite', (store) => store.put(content, table));
    },
  };
}
