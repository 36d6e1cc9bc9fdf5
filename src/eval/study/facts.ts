import { selectReportText } from '../../data/text/sections.ts';
import { splitSentences } from '../../data/text/sentences.ts';
import type { Dataset, GroundedPhrase } from '../../data/types.ts';

/** What may make a phrase easy or hard, read from the data and not from any model. */
export interface PhraseFacts {
  readonly words: number;
  /** Whether the phrase says where. */
  readonly located: boolean;
  /** Findings that are marked in the image. */
  readonly lesions: number;
  /** Whether another finding of the same class is marked in the image, so that the class alone does not decide. */
  readonly hasTwin: boolean;
  /** Sentences of the report that deny something. */
  readonly negations: number;
}

const places =
  /\b(left|right|bilateral|both|midline|centre|center|upper|lower|middle|mid|apex|apical|base|basal|perihilar|peripheral|lobe|zone)\b/i;
const denials = /\b(no|not|without|negative|absent|free of)\b/i;

/** Key of a phrase among those of a data set. */
export function phraseKey({ studyId, phrase }: { readonly studyId: string; readonly phrase: string }): string {
  return JSON.stringify([studyId, phrase]);
}

/** The facts of every phrase of a data set by `phraseKey`. */
export function phraseFacts({ studies, phrases }: Pick<Dataset, 'studies' | 'phrases'>): Map<string, PhraseFacts> {
  const reports = new Map(studies.map(({ id, report }) => [id, report]));
  const byStudy = new Map<string, GroundedPhrase[]>();
  for (const phrase of phrases) byStudy.set(phrase.studyId, [...(byStudy.get(phrase.studyId) ?? []), phrase]);
  const facts = new Map<string, PhraseFacts>();
  for (const [studyId, group] of byStudy) {
    // Two phrases for one finding (an unseen class has one) come from the same sentence.
    const sentences = new Set(group.map(findingOf));
    const negations = countDenials(reports.get(studyId) ?? '');
    for (const item of group) {
      const twins = group.filter((other) => other.category === item.category && findingOf(other) !== findingOf(item));
      facts.set(phraseKey(item), {
        words: item.phrase.split(/\s+/).filter(Boolean).length,
        located: places.test(item.phrase),
        lesions: sentences.size,
        hasTwin: twins.length > 0,
        negations,
      });
    }
  }
  return facts;
}

function findingOf({ sentence, phrase }: GroundedPhrase): string {
  return sentence ?? phrase;
}

function countDenials(report: string): number {
  return splitSentences(selectReportText(report)).filter((sentence) => denials.test(sentence)).length;
}
