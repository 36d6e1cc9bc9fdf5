/** The one reading of `--data`: a folder, a prepared folder, an index, or the name and folder of a corpus. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { corpusNames } from './corpora/registry.node.ts';
import { DataError } from './errors.ts';
import type { DatasetSpec } from './open.node.ts';
import { INDEX_FILE, PLAN_FILE } from './shards/format.ts';

/** What `--data` takes, for help texts. */
export const dataFlagHelp =
  'a folder with a manifest.csv, a folder of `groundray prepare`, an index.jsonl, or <corpus>:<folder>, e.g. mimic-cxr-jpg:/data/mimic';

/** Further parts of `<corpus>:<folder>,images=<folder>,reports=<path>`. */
const PARTS = { images: 'images', reports: 'reports', 'split-file': 'splitFile' } as const;

/**
 * Throws DataError with the names of the corpora when the name before the colon is none of them. Whether the data are
 * there is seen when they are opened.
 */
export function parseDataFlag(text: string): DatasetSpec {
  const [, name, rest = ''] = /^([A-Za-z][\w-]+):(.*)$/s.exec(text) ?? [];
  // A folder may have a colon in its name; one letter before it is a drive.
  if (name === undefined || isThere(text)) {
    if (/\.jsonl$/i.test(text)) return { kind: 'index', path: text };
    const isPrepared = [INDEX_FILE, PLAN_FILE].some((file) => existsSync(join(text, file)));
    return { kind: isPrepared ? 'shards' : 'folder', path: text };
  }
  if (!corpusNames.includes(name)) {
    throw new DataError(
      `--data ${text}: there is no corpus "${name}"; the corpora are ${corpusNames.join(', ')}. Expected ${dataFlagHelp}.`,
    );
  }
  const [root = '', ...parts] = rest.split(/,(?=(?:images|reports|split-file)=)/);
  if (root === '') throw new DataError(`--data ${text}: expected the folder of the corpus behind "${name}:".`);
  if (name === 'folder') return { kind: 'folder', path: root };
  const given = parts.map((part) => {
    const [key = '', ...value] = part.split('=');
    return [PARTS[key as keyof typeof PARTS], value.join('=')] as const;
  });
  return { kind: 'corpus', name, root, ...Object.fromEntries(given) };
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
