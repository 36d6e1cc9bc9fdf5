import type { DroppedFile } from './dropped.ts';

/** The files of an input; those of a folder with their paths. */
export function chosenFiles(input: HTMLInputElement): DroppedFile[] {
  const files = [...(input.files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  // The same files can be chosen again.
  input.value = '';
  return files;
}

/** All files of a drop, with those of folders and of the folders in them. */
export async function droppedFiles(transfer: DataTransfer): Promise<DroppedFile[]> {
  // Entries can be asked for only while the event is handled; all of this line runs before the first wait.
  const items = [...transfer.items].map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const found = await Promise.all(
    items.map(async ({ entry, file }) => {
      if (entry?.isDirectory) return filesBelow(entry);
      return file ? [{ path: file.name, file }] : [];
    }),
  );
  return found.flat();
}

async function filesBelow(entry: FileSystemEntry): Promise<DroppedFile[]> {
  const path = entry.fullPath.replace(/^\//, '');
  if (entry.isFile) {
    const file = await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail));
    return [{ path, file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: DroppedFile[] = [];
  for (;;) {
    // A reader gives some of the entries at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
    if (some.length === 0) return files;
    for (const each of some) files.push(...(await filesBelow(each)));
  }
}
