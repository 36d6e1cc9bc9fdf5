/** The reports of MIMIC-CXR: a zip, the unpacked tree, or a CSV of sections made from them. */
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import yauzl from 'yauzl';
import { z } from 'zod';
import { DataError } from '../errors.ts';
import { streamTable } from '../tableStream.node.ts';
import { type ReportParts, reportParts } from '../text/sections.ts';
import type { ReadOptions, ReportSections } from './corpus.ts';
import { findFirst, findMatching } from './files.node.ts';
import { type Keyed, SortedLookup, sortByKey } from './sort.node.ts';

/** Reports by study; asked for in ascending order of the ids as text. */
export interface ReportSource {
  /** Sections of the study's report; undefined where there is none. */
  readonly get: (studyId: string, patientId: string) => Promise<ReportSections | undefined>;
  readonly close: () => Promise<void>;
}

/** No report is longer; what claims to be is not read. */
const MAX_REPORT = 1 << 20;

/**
 * Opens the reports at `path`, or those that lie below `root`. Throws DataError when there are none, with the places
 * that were searched.
 */
export function openReports(root: string, path: string | undefined, options: ReadOptions): ReportSource {
  const found = path ?? findReports(root);
  if (found === undefined || !existsSync(found)) {
    throw missingReports(found ?? root);
  }
  if (statSync(found).isDirectory()) {
    const inside = findFirst(found, ['mimic-cxr-reports.zip']);
    return inside && !existsSync(join(found, 'files')) ? lookup(fromZip(inside, options)) : openTree(found);
  }
  return lookup(/\.zip$/i.test(found) ? fromZip(found, options) : fromSections(found, options));
}

export function missingReports(place: string): DataError {
  return new DataError(
    `${place}: expected reports as mimic-cxr-reports.zip, as an unpacked tree files/p10/p.../s....txt or as ` +
      'mimic_cxr_sectioned.csv, found none. They are a part of MIMIC-CXR, not of MIMIC-CXR-JPG; say where with --reports ' +
      '(or reports=... behind --data mimic-cxr-jpg:...).',
  );
}

function findReports(root: string): string | undefined {
  const sectioned = findMatching(root, /^mimic_cxr_sectioned\.csv(\.gz)?$/i);
  return (
    findFirst(root, ['mimic-cxr-reports.zip']) ??
    sectioned ??
    findFirst(root, ['mimic-cxr-reports', 'reports', 'files'])
  );
}

function lookup(source: AsyncIterable<Keyed<ReportSections>>): ReportSource {
  const sorted = new SortedLookup(sortByKey(source));
  return { get: (studyId) => sorted.get(studyId), close: () => sorted.close() };
}

function openTree(folder: string): ReportSource {
  const base = existsSync(join(folder, 'files')) ? join(folder, 'files') : folder;
  return {
    async get(studyId, patientId) {
      const path = join(base, `p${patientId.slice(0, 2)}`, `p${patientId}`, `s${studyId}.txt`);
      try {
        if (statSync(path).size > MAX_REPORT) throw new DataError(`${path}: expected a report, found more than 1 MiB.`);
        return sectionsOf(await readFile(path, 'utf8'));
      } catch (error) {
        if ((error as { code?: string }).code === 'ENOENT') return undefined;
        throw error instanceof DataError ? error : new DataError(`${path} cannot be read (${String(error)}).`);
      }
    },
    close: async () => undefined,
  };
}

/** Sections of a report as it is stored; empty ones are left out. */
export function sectionsOf(report: string): ReportSections {
  return filled(reportParts(report));
}

function filled(parts: ReportParts): ReportSections {
  return Object.fromEntries(Object.entries(parts).filter(([, text]) => text !== ''));
}

const sectionRow = z.object({
  study: z
    .string()
    .trim()
    .regex(/^s?\d{1,12}$/, 'the id of a study, e.g. s50414267'),
  impression: z.string().default(''),
  findings: z.string().default(''),
  last_paragraph: z.string().default(''),
  comparison: z.string().default(''),
});

async function* fromSections(path: string, { onProgress, signal }: ReadOptions): AsyncGenerator<Keyed<ReportSections>> {
  const progress = (done: number, total: number): void => onProgress?.('reading reports', done, total);
  for await (const { values } of streamTable(path, sectionRow, ['study'], { onProgress: progress })) {
    signal?.throwIfAborted();
    const { study, impression, findings, last_paragraph, comparison } = values;
    const [f, i] = [findings.trim(), impression.trim()];
    const lastParagraph = f === '' && i === '' ? last_paragraph.trim() : '';
    const parts = { findings: f, impression: i, lastParagraph, comparison: comparison.trim() };
    yield { key: study.replace('s', ''), value: filled(parts) };
  }
}

async function* fromZip(path: string, { onProgress, signal }: ReadOptions): AsyncGenerator<Keyed<ReportSections>> {
  const zip = await yauzl.openPromise(path, { lazyEntries: true, autoClose: false }).catch((error: unknown) => {
    throw damaged(path, error);
  });
  const entries = zip.eachEntry();
  try {
    for (let n = 1; ; n++) {
      signal?.throwIfAborted();
      const next = await entries.next().catch((error: unknown) => {
        throw damaged(path, error);
      });
      if (next.done) return;
      const entry = next.value;
      onProgress?.('reading reports', n, zip.entryCount);
      const study = /(?:^|\/)s(\d{1,12})\.txt$/.exec(entry.fileName)?.[1];
      if (study !== undefined) yield { key: study, value: sectionsOf(await readEntry(zip, entry, path)) };
    }
  } finally {
    zip.close();
  }
}

async function readEntry(zip: yauzl.ZipFile, entry: yauzl.Entry, path: string): Promise<string> {
  const source = `${path}: ${entry.fileName}`;
  if (entry.uncompressedSize > MAX_REPORT) throw new DataError(`${source}: expected a report, found more than 1 MiB.`);
  const chunks: Buffer[] = [];
  try {
    // There is an error when more comes than the entry says.
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
  } catch (error) {
    throw damaged(source, error);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function damaged(source: string, error: unknown): DataError {
  return new DataError(`${source}: expected a whole zip file (${error instanceof Error ? error.message : error}).`);
}
