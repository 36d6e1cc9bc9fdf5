/** Which images of a corpus are kept, and the text that is read of their reports. */
import { DataError } from '../errors.ts';
import { principalSection } from '../text/sections.ts';
import { splitSentences } from '../text/sentences.ts';
import type { CorpusRecord, ReportSections } from './corpus.ts';

export const viewChoices = ['frontal', 'unknown', 'all'] as const;
export type ViewChoice = (typeof viewChoices)[number];
export const sectionChoices = ['findings+impression', 'one'] as const;
export type SectionChoice = (typeof sectionChoices)[number];

/** Plain data; the defaults are those of the paper. */
export interface FilterOptions {
  /** `frontal` (the default), these and those of unknown view, or all. */
  readonly views?: ViewChoice;
  /** Least words of a report. Default 3. */
  readonly minWords?: number;
  /** FINDINGS and IMPRESSION (the default), or one section: impression, findings, last paragraph, comparison. */
  readonly sections?: SectionChoice;
}

/** The report as text for `Study.report`, or why the image is left out. */
export type Verdict = { readonly report: string } | { readonly reason: string };

/** Views are asked of images with a report; what has none is kept for its regions and labels. */
export function applyFilters(record: CorpusRecord, options: FilterOptions = {}): Verdict {
  const { views = 'frontal', minWords = 3 } = options;
  if (views !== 'all' && record.view === 'lateral') return { reason: 'the view is lateral' };
  if (views === 'frontal' && record.view === 'unknown') return { reason: 'the view is unknown' };
  if (!record.sections) return { report: '' };
  const text = chooseText(record.sections, options.sections);
  if (splitSentences(text).length === 0) return { reason: 'the report has no sentence' };
  const words = text.match(/[\p{L}\p{N}]+/gu)?.length ?? 0;
  if (words < minWords) return { reason: `the report has fewer than ${minWords} words` };
  return { report: text };
}

/** Text with the headings that `selectReportText` reads. */
function chooseText(sections: ReportSections, choice: SectionChoice = 'findings+impression'): string {
  const { findings = '', impression = '', lastParagraph = '' } = sections;
  if (choice === 'one') return principalSection(sections).trim();
  const parts = [
    ['FINDINGS', findings],
    ['IMPRESSION', impression],
  ] as const;
  const wanted = parts.filter(([, text]) => text.trim() !== '').map(([name, text]) => `${name}: ${text.trim()}`);
  return wanted.length > 0 ? wanted.join('\n\n') : lastParagraph.trim();
}

/** For a corpus of which nothing is left: how many images each reason has taken, the most frequent first. */
export function nothingKept(
  name: string,
  dropped: Readonly<Record<string, number>>,
  notes: readonly string[] = [],
): DataError {
  const reasons = Object.entries(dropped).sort((a, b) => b[1] - a[1]);
  const found = reasons.reduce((sum, [, count]) => sum + count, 0);
  const listed = reasons.map(([reason, count]) => `${count}: ${reason}`).join('; ') || 'the tables are empty';
  return new DataError([`${name}: expected images to keep, found none of ${found} (${listed}).`, ...notes].join(' '));
}
