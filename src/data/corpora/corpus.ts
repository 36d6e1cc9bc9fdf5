/** The one interface of all corpora: a layout that is checked, and a stream of records and of what was left out. */
import type { Region } from '../region.ts';
import type { Split } from '../types.ts';

export type View = 'frontal' | 'lateral' | 'unknown';

/** Sections of a report, each as running text without its heading. */
export interface ReportSections {
  readonly findings?: string;
  readonly impression?: string;
  readonly lastParagraph?: string;
  readonly comparison?: string;
}

/** A phrase and the region that it names, as plain data. */
export interface RecordPhrase {
  readonly phrase: string;
  readonly category: string;
  readonly region: Region;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** One image of a corpus with all that is known of it; plain data, so that an index can hold it. */
export interface CorpusRecord {
  readonly id: string;
  readonly patientId: string;
  readonly studyId: string;
  /** Path of the image, relative to the folder of the images. */
  readonly image: string;
  readonly view: View;
  readonly split: Split;
  /** Absent in corpora without reports. */
  readonly sections?: ReportSections;
  /** Labels by name: 1 present, 0 absent, -1 uncertain. */
  readonly labels?: Readonly<Record<string, number>>;
  readonly phrases?: readonly RecordPhrase[];
}

/** What a corpus yields: a record, an image that was left out, or a sentence for the user. */
export type CorpusItem =
  | { readonly record: CorpusRecord }
  | { readonly dropped: { readonly id: string; readonly reason: string } }
  | { readonly note: string };

/** Plain data that says where a corpus lies. */
export interface CorpusLocation {
  readonly root: string;
  /** Folder of the images where it is not `root`, e.g. a resized mirror. */
  readonly images?: string;
  /** Reports where they are not below `root`: a folder, a zip, or a CSV of sections. */
  readonly reports?: string;
  /** CSV with a column `ID` and optionally `split`: other images are left out. Without `split` all are test images. */
  readonly splitFile?: string;
  /**
   * Looks for every image of a corpus that has hundreds of thousands; missing ones are left out. Default false: a few are
   * looked for. Small corpora are always looked through.
   */
  readonly checkImages?: boolean;
}

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** `done` of `total` units of the stage's own (bytes, rows, files). */
  readonly onProgress?: (stage: string, done: number, total: number) => void;
}

export interface Corpus {
  readonly name: string;
  /** What it is, where it comes from, and under which terms. */
  readonly description: string;
  /** Whether it is for training on reports or for evaluation on regions. */
  readonly purpose: 'training' | 'evaluation';
  /** Folder that the records' image paths are relative to. */
  readonly imageRoot: (location: CorpusLocation) => string;
  /** Checks the layout and streams the corpus. Throws DataError that names what is missing. */
  readonly read: (location: CorpusLocation, options?: ReadOptions) => AsyncGenerator<CorpusItem>;
}
