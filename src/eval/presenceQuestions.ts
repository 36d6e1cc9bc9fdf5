import { createRandom } from '../data/random.ts';
import type { GroundedPhrase } from '../data/types.ts';
import type { PresenceQuestion } from './presence.ts';
import { swapSides } from './probes.ts';

/**
 * Phrases to ask in images, by study: the image's own; for every class that it lacks one that was said of another image;
 * and its own with left and right exchanged where the class is on one side only.
 *
 * @param studyIds Images of which all findings are known; what their phrases don't name is absent.
 * @param phrases Of these images.
 * @param seed Chooses the phrases of absent classes.
 */
export function presenceQuestions(
  studyIds: readonly string[],
  phrases: readonly GroundedPhrase[],
  seed = 0,
): Map<string, PresenceQuestion[]> {
  const said = new Map<string, string[]>();
  for (const { category, phrase } of phrases) said.set(category, [...(said.get(category) ?? []), phrase]);
  const categories = [...said.keys()].sort();
  const own = new Map(studyIds.map((id): [string, GroundedPhrase[]] => [id, []]));
  for (const phrase of phrases) own.get(phrase.studyId)?.push(phrase);
  const random = createRandom(seed).fork('absent phrases');
  return new Map(
    [...own].map(([studyId, present]) => {
      const texts = [...new Set(present.map(({ phrase }) => phrase))];
      const pick = random.fork(studyId);
      const absent = categories
        .filter((category) => present.every((phrase) => phrase.category !== category))
        .flatMap((category) => {
          // A query can stand for several classes ("findings suggesting pneumonia"): it is not absent then.
          const candidates = (said.get(category) ?? []).filter((phrase) => !texts.includes(phrase));
          return candidates.length === 0 ? [] : [pick.pick(candidates)];
        });
      const swapped = present
        .filter(({ category }) => present.filter((other) => other.category === category).length === 1)
        .flatMap(({ phrase }) => swapSides(phrase) ?? [])
        .filter((phrase) => !texts.includes(phrase));
      const questions = (kind: PresenceQuestion['kind'], list: readonly string[]): PresenceQuestion[] =>
        list.map((phrase) => ({ studyId, phrase, kind }));
      return [
        studyId,
        [...questions('present', texts), ...questions('absent', absent), ...questions('other-side', swapped)],
      ];
    }),
  );
}
