/** Leaving out the studies that contrastive training cannot use. */
import { DataError } from './errors.ts';
import { selectReportText } from './text/sections.ts';
import { type SplitterName, splitSentences } from './text/sentences.ts';
import type { Dataset, DroppedStudy, Study } from './types.ts';

/**
 * The data set without the studies whose report has no sentence; they are listed in `dropped`. Phrases of a dropped
 * study are kept, because an image needs no report to be searched. Throws DataError when neither
 * a study nor a phrase is left.
 */
export function dropEmptyReports(dataset: Dataset, splitter: SplitterName = 'clinical'): Dataset {
  const dropped: DroppedStudy[] = [...(dataset.dropped ?? [])];
  const studies: Study[] = [];
  for (const study of dataset.studies) {
    if (splitSentences(selectReportText(study.report), splitter).length > 0) studies.push(study);
    else dropped.push({ studyId: study.id, reason: 'the report has no sentence' });
  }
  if (studies.length === 0 && dataset.phrases.length === 0) {
    throw new DataError(
      `${dataset.name}: none of the ${dataset.studies.length} reports has a sentence, so there is nothing to learn from.`,
    );
  }
  return { ...dataset, studies, dropped };
}

/** One line for the user, e.g. `3 studies left out: a, b, c (the report has no sentence).`; empty when none was. */
export function describeDropped(dropped: readonly DroppedStudy[], listed = 10): string {
  const byReason = new Map<string, string[]>();
  for (const { studyId, reason } of dropped) byReason.set(reason, [...(byReason.get(reason) ?? []), studyId]);
  return [...byReason]
    .map(([reason, ids]) => {
      const more = ids.length > listed ? ` and ${ids.length - listed} more` : '';
      return `${ids.length} ${ids.length === 1 ? 'study' : 'studies'} left out: ${ids.slice(0, listed).join(', ')}${more} (${reason}).`;
    })
    .join(' ');
}
