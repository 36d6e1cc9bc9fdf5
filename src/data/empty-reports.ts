/** Leaving out the studies that contrastive training cannot use. */
import { DataError } from './errors.ts';
import { selectReportText } from './text/sections.ts';
import { hasSentence, type SplitterName } from './text/sentences.ts';
import type { Dataset, DroppedStudy, Study } from './types.ts';

/** Lists of studies that were checked, so that opening and batching do not both read 200,000 reports. */
const checked = new WeakMap<readonly Study[], SplitterName>();

/**
 * The data set without the studies whose report has no sentence; they are listed in `dropped`. Phrases of a dropped
 * study are kept, because an image needs no report to be searched. Throws DataError when neither
 * a study nor a phrase is left.
 */
export function dropEmptyReports(dataset: Dataset, splitter: SplitterName = 'clinical'): Dataset {
  if (checked.get(dataset.studies) === splitter) return dataset;
  const dropped: DroppedStudy[] = [...(dataset.dropped ?? [])];
  const studies: Study[] = [];
  for (const study of dataset.studies) {
    if (hasSentence(selectReportText(study.report), splitter)) studies.push(study);
    else dropped.push({ studyId: study.id, reason: 'the report has no sentence' });
  }
  if (studies.length === 0 && dataset.phrases.length === 0) {
    throw new DataError(
      `${dataset.name}: none of the ${dataset.studies.length} reports has a sentence, so there is nothing to learn from.`,
    );
  }
  checked.set(studies, splitter);
  return { ...dataset, studies, dropped };
}

/** One line for the user, e.g. `3 studies left out: a, b, c (the report has no sentence).`; empty when none was. */
export function describeDropped(dropped: readonly DroppedStudy[], listed = 10): string {
  const byReason = new Map<string, string[]>();
  for (const { studyId, reason } of dropped) {
    const ids = byReason.get(reason);
    if (ids) ids.push(studyId);
    else byReason.set(reason, [studyId]);
  }
  return [...byReason]
    .map(([reason, ids]) => {
      const more = ids.length > listed ? ` and ${ids.length - listed} more` : '';
      return `${ids.length} ${ids.length === 1 ? 'study' : 'studies'} left out: ${ids.slice(0, listed).join(', ')}${more} (${reason}).`;
    })
    .join(' ');
}
