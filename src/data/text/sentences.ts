/** Splitting report text into sentences. */

export type SplitterName = 'clinical' | 'gloria';

/** The sentences of a report with their punctuation; list markers and pieces without a letter are left out. `gloria` splits as GLoRIA's code does. */
export function splitSentences(text: string, splitter: SplitterName = 'clinical'): string[] {
  return splitter === 'gloria' ? splitLikeGloria(text) : splitClinical(text);
}

/** Whether `splitSentences` finds any, without the work of finding their borders: that counts over 200,000 reports. */
export function hasSentence(text: string, splitter: SplitterName = 'clinical'): boolean {
  // Between them, sentences have all of the text but list markers, and those have no letters.
  return splitter === 'gloria' ? splitLikeGloria(text).length > 0 : /\p{L}/u.test(text);
}

/** Abbreviations whose full stop never ends a sentence. */
const NEVER_FINAL = new Set(
  'dr drs mr mrs ms prof vs approx e.g i.e eg ie cf st resp incl fig figs ca min max no. nos dept pt pts'.split(' '),
);
/** Abbreviations whose full stop ends a sentence only before a new, ordinary word in capitals. */
const MAYBE_FINAL = new Set('a.m p.m am pm etc'.split(' '));

/**
 * Sentences with their punctuation. A full stop does not end a sentence inside a decimal (1.9 cm), after an abbreviation
 * (Dr., vs., a.m.) or an initial. List markers ("1. No ... 2. Mild ...") separate sentences and are removed; `___` and
 * `XXXX`, the marks of removed identifiers, stay. Pieces without a letter are left out.
 */
function splitClinical(text: string): string[] {
  return text
    .replace(/\r\n?/g, '\n')
    .split(/\n[ \t]*\n/)
    .flatMap((paragraph) => splitParagraph(paragraph.replace(/\s+/g, ' ').trim()))
    .map((sentence) => sentence.trim())
    .filter((sentence) => /\p{L}/u.test(sentence));
}

function splitParagraph(text: string): string[] {
  const sentences: string[] = [];
  let start = 0;
  let lastMarker = 0;
  // Place of the last character that is no space: comparing it with `start` keeps the time linear.
  let inked = -1;
  const close = (end: number): void => {
    if (end > start) sentences.push(text.slice(start, end));
    start = end;
  };
  for (let i = 0; i < text.length; i++) {
    const atStart = inked < start;
    if (text[i] !== ' ') inked = i;
    const marker = /^(\d{1,2})[.)](?=\s*\p{L}|\s+_)/u.exec(text.slice(i, i + 5));
    if (marker && (i === 0 || text[i - 1] === ' ' || text[i - 1] === '.')) {
      const number = Number(marker[1]);
      // A marker opens a list at the start of a sentence; inside one only the next number counts.
      if (atStart ? lastMarker === 0 || number <= lastMarker + 1 : lastMarker > 0 && number === lastMarker + 1) {
        close(i);
        lastMarker = number;
        start = i + marker[0].length;
        i = start - 1;
        continue;
      }
    }
    const character = text[i] ?? '';
    if (!'.?!'.includes(character)) continue;
    let end = i + 1;
    while (end < text.length && '.?!'.includes(text[end] ?? '')) end++;
    if (character === '.' && end === i + 1 && !endsSentence(text, i)) continue;
    // Closing quotes and brackets belong to the sentence.
    while (end < text.length && '"\')]'.includes(text[end] ?? '')) end++;
    close(end);
    i = end - 1;
  }
  close(text.length);
  return sentences;
}

/** More of what stands before a full stop is not looked at: it is no abbreviation. */
const LONGEST_WORD = 60;

/** Whether the single full stop at `dot` ends a sentence. */
function endsSentence(text: string, dot: number): boolean {
  const rest = text.slice(dot + 1);
  if (rest.trim() === '') return true;
  const word = /[^\s(["']*$/.exec(text.slice(Math.max(0, dot - LONGEST_WORD), dot))?.[0] ?? '';
  const glued = !/^[\s"')\]]/.test(rest);
  // Without a space after it, only "clear.The" is taken for a missing space.
  if (glued) return /(?:\p{Ll}|XXXX|__)$/u.test(word) && /^\p{Lu}\p{Ll}/u.test(rest);
  const lower = word.toLowerCase();
  if (NEVER_FINAL.has(lower)) return false;
  if (MAYBE_FINAL.has(lower)) return /^\s+(?!Dr\b|XXXX)\p{Lu}/u.test(rest);
  if (/^\p{Lu}$/u.test(word) && /^\s+\p{Lu}/u.test(rest)) return false;
  return true;
}

/** Finds what `[0-9]+\.|\.` finds; looking behind keeps long numbers from taking quadratic time. */
const GLORIA_BREAK = /(?<!\p{Nd})\p{Nd}+\.|\./u;

/**
 * The splitting of the GLoRIA and AFLoc code: line breaks to spaces, cut at `[0-9]+\.` and at every ".", lower case,
 * words `\w+` joined by spaces without punctuation, non-ASCII characters removed, pieces of one word left out.
 */
function splitLikeGloria(text: string): string[] {
  return text
    .replaceAll('\n', ' ')
    .split(GLORIA_BREAK)
    .map(
      (piece) =>
        piece
          .replaceAll('\ufffd\ufffd', ' ')
          .toLowerCase()
          .match(/[\p{L}\p{N}_]+/gu) ?? [],
    )
    .filter((words) => words.length > 1)
    .map((words) =>
      words
        .map((word) => [...word].filter((c) => c.charCodeAt(0) < 128).join(''))
        .filter((word) => word !== '')
        .join(' '),
    )
    .filter((sentence) => sentence !== '');
}
