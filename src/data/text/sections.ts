/** Finding the sections of a radiology report written as plain text. */

export type SectionName =
  | 'findings'
  | 'impression'
  | 'comparison'
  | 'indication'
  | 'technique'
  | 'examination'
  | 'other';

export interface Section {
  readonly name: SectionName;
  /** The heading as written, without the colon; empty for text before the first heading. */
  readonly heading: string;
  readonly text: string;
}

/** Spelled-out headings; near misses ("IMPRESSON", "FINDNGS") are matched by edit distance. */
const HEADINGS: ReadonlyArray<readonly [SectionName, readonly string[]]> = [
  [
    'impression',
    [
      'impression',
      'impressions',
      'final impression',
      'conclusion',
      'conclusions',
      'summary',
      'opinion',
      'diagnosis',
      'interpretation',
    ],
  ],
  [
    'findings',
    [
      'finding',
      'findings',
      'chest findings',
      'findings and impression',
      'findings/impression',
      'findings/ impression',
      'report',
      'observations',
    ],
  ],
  [
    'comparison',
    [
      'comparison',
      'comparisons',
      'comparison exam',
      'comparison exams',
      'comparison study',
      'comparison studies',
      'comparison made to',
      'compared to',
      'prior studies',
    ],
  ],
  [
    'indication',
    [
      'indication',
      'indications',
      'clinical indication',
      'history',
      'clinical history',
      'patient history',
      'history and indication',
      'indication/history',
      'clinical information',
      'reason',
      'reason for exam',
      'reason for examination',
      'reason for study',
      'reason for the exam',
      'reason for this examination',
    ],
  ],
  ['technique', ['technique', 'procedure', 'protocol']],
  ['examination', ['examination', 'exam', 'study', 'type of exam', 'type of examination', 'exam type']],
  [
    'other',
    [
      'recommendation',
      'recommendations',
      'notification',
      'notifications',
      'addendum',
      'final addendum',
      'wet read',
      'provisional findings impression',
      'signed',
    ],
  ],
];

/** Stands for a rule of underscores, which sets wet reads and addenda off. */
const RULE = '\u2028';

/**
 * The sections in the order they stand. Handles one leading space per line, CRLF, "blank" lines with spaces, rules of
 * underscores around wet reads and addenda, misspelled headings and headings that name the view ("PA AND LATERAL VIEWS
 * OF THE CHEST:"), which are findings.
 */
export function parseSections(report: string): Section[] {
  const text = clean(report);
  // In capitals at the start of a line; known names also in mixed case there, and in capitals anywhere after a space.
  const pattern =
    /\u2028|(?:^|\n)[ \t]{0,80}([A-Z][A-Z ()/,&-]{2,79}|[A-Z][A-Za-z]{3,13}(?: [A-Za-z]{2,11}){0,3}):|\s(FINDINGS|IMPRESSION|CONCLUSION|COMPARISON|INDICATION|HISTORY|TECHNIQUE|EXAMINATION|RECOMMENDATIONS?|NOTIFICATIONS?):/g;
  const found: { name: SectionName; heading: string; start: number; end: number }[] = [];
  for (const match of text.matchAll(pattern)) {
    const heading = (match[1] ?? match[2] ?? '').trim();
    // What a rule sets off belongs to no section until the next heading.
    const name = match[0] === RULE ? 'other' : nameOfHeading(heading);
    if (name !== undefined) found.push({ name, heading, start: match.index, end: match.index + match[0].length });
  }
  const sections: Section[] = [];
  const before = text.slice(0, found[0]?.start ?? text.length).trim();
  if (before !== '') sections.push({ name: 'other', heading: '', text: before });
  found.forEach(({ name, heading, end }, i) => {
    sections.push({ name, heading, text: text.slice(end, found[i + 1]?.start ?? text.length).trim() });
  });
  return sections.filter(({ heading, text }) => heading !== '' || text !== '');
}

/**
 * The text a report is trained on: FINDINGS and IMPRESSION, each the last one of its name that is not empty. Without
 * either, a report that has other headings or is marked as a final report gives its last paragraph, and plain notes are
 * taken whole.
 */
export function selectReportText(report: string): string {
  const sections = parseSections(report);
  const last = (name: SectionName): string => sections.findLast((s) => s.name === name && s.text !== '')?.text ?? '';
  const wanted = [last('findings'), last('impression')].filter((text) => text !== '');
  if (wanted.length > 0) return wanted.join('\n\n');
  const isStructured = sections.some((s) => s.heading !== '') || /^\s{0,200}FINAL REPORT/m.test(report);
  return isStructured ? lastParagraphOf(sections) : clean(report).replaceAll(RULE, '').trim();
}

/** What a corpus of whole reports is made of, by section. */
export interface ReportParts {
  readonly findings: string;
  readonly impression: string;
  /** Of a report with neither findings nor impression. */
  readonly lastParagraph: string;
  readonly comparison: string;
}

/** The parts of a structured report, each the last one of its name that is not empty. */
export function reportParts(report: string): ReportParts {
  const sections = parseSections(report);
  const last = (name: SectionName): string => sections.findLast((s) => s.name === name && s.text !== '')?.text ?? '';
  const [findings, impression, comparison] = [last('findings'), last('impression'), last('comparison')];
  const lastParagraph = findings === '' && impression === '' ? lastParagraphOf(sections) : '';
  return { findings, impression, lastParagraph, comparison };
}

/** The one section to use where only one is wanted: impression, findings, last paragraph, comparison. */
export function principalSection({ findings, impression, lastParagraph, comparison }: Partial<ReportParts>): string {
  return impression || findings || lastParagraph || comparison || '';
}

/**
 * The last paragraph of a report that has neither findings nor impression; addenda don't count. Empty where all text
 * stands right behind a heading that says what else it is, such as an indication.
 */
function lastParagraphOf(sections: readonly Section[]): string {
  const isAddendum = ({ heading }: Section): boolean => /ADDENDUM|SIGNED|WET READ/i.test(heading);
  const body = sections.findLast((section) => !isAddendum(section) && section.text !== '') ?? sections.at(-1);
  const paragraphs = (body?.text ?? '').split(/\n[ \t]*\n/).filter((paragraph) => paragraph.trim() !== '');
  const isBody = body?.heading === '' || paragraphs.length > 1 || body?.name === 'comparison';
  return isBody ? (paragraphs.at(-1)?.trim() ?? '') : '';
}

function clean(report: string): string {
  return (
    report
      .replaceAll(RULE, '\n')
      .replace(/\r\n?/g, '\n')
      .replace(/^[ \t]{0,80}_{5,}[ \t]*$/gm, RULE)
      .replace(/^[ \t]{0,80}((?:FINAL )?ADDENDUM)\b[^\n:]{0,80}$/gm, '$1:')
      .replace(/^[ \t]{0,200}FINAL REPORT[ \t]*$/gm, RULE)
      // Who read it and when stands behind it.
      .replace(/^[ \t]{0,80}WET READ\b[^\n]*$/gm, 'WET READ:')
      .replace(/^ /gm, '')
  );
}

function nameOfHeading(heading: string): SectionName | undefined {
  const words = heading.toLowerCase().replace(/\s+/g, ' ').trim();
  for (const [name, spellings] of HEADINGS) if (spellings.includes(words)) return name;
  if (heading !== heading.toUpperCase()) return undefined;
  for (const [name, spellings] of HEADINGS) {
    if (spellings.some((s) => s.length >= 7 && Math.abs(s.length - words.length) <= 2 && editDistance(s, words) <= 2)) {
      return name;
    }
  }
  if (/\b(views?|chest|radiographs?|portable|frontal)\b/.test(words) && !/history|indication|exam/.test(words))
    return 'findings';
  return 'other';
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
