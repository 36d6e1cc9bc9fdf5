/** Words for the findings of a phantom study. Left and right are the PATIENT'S, as in every radiology report. */
import type { Random } from '../random.ts';
import { type Category, type Finding, TRAINED_CATEGORIES, type TrainedCategory, type Zone } from './lesions.ts';

/**
 * `located`: the phrase says where; `unlocated`: it names the finding only; `own-words`: an unseen class described with
 * words that training never used; `pneumonia-query`: an unseen class under the name of a trained one.
 */
export type PhraseKind = 'located' | 'unlocated' | 'own-words' | 'pneumonia-query';

export interface Wording {
  /** The finding without the words around it, lower case, no full stop. */
  readonly phrase: string;
  /** A sentence that contains the phrase word for word. */
  readonly sentence: string;
  readonly kind: PhraseKind;
}

/** The query used for classes that training never named. */
export const PNEUMONIA_QUERY = 'findings suggesting pneumonia';

const NAMES: Readonly<Record<Category, readonly string[]>> = {
  pneumonia: ['pneumonia', 'findings suggesting pneumonia', 'patchy pneumonia', 'infiltrate suggesting pneumonia'],
  consolidation: ['consolidation', 'dense consolidation', 'airspace consolidation'],
  'lung opacity': ['opacity', 'lung opacity', 'hazy opacity'],
  atelectasis: ['atelectasis', 'linear atelectasis', 'band of atelectasis'],
  'pleural effusion': ['pleural effusion', 'effusion', 'pleural fluid'],
  pneumothorax: ['pneumothorax', 'collection of pleural air'],
  edema: ['pulmonary edema', 'edema', 'vascular congestion and edema'],
  cardiomegaly: ['cardiomegaly', 'enlargement of the heart', 'enlarged cardiac silhouette'],
  'covid-like': ['ground glass nodules', 'multifocal covid changes', 'rounded covid lesions'],
};
const SIZES = {
  small: ['small', 'tiny'],
  medium: ['medium', 'moderate sized'],
  large: ['large', 'extensive'],
} as const;
const SEVERITIES = { mild: ['mild', 'subtle'], moderate: ['moderate'], severe: ['severe', 'marked'] } as const;
/** Nouns after "in the right ...". */
const PLACES: Readonly<Record<'upper' | 'middle' | 'lower', readonly string[]>> = {
  upper: ['upper lobe', 'upper zone', 'upper lung'],
  middle: ['mid lung', 'middle zone', 'mid zone'],
  lower: ['lower lobe', 'lower zone', 'lung base', 'lower lung'],
};
/** Names that take an article. */
const COUNTABLE = /opacity|band of|infiltrate|effusion|pneumothorax|collection|silhouette/;
const FRAMES = ['There is', 'There is', 'There is', '', '', 'Again seen is', 'Findings include'] as const;
const TAILS = ['', '', '', '', '', ' is seen', ' is present', ', unchanged', ', new since the prior study'] as const;

/** Words a finding; 30 % of the phrases have no location unless `mustLocate`. */
export function wordFinding(random: Random, finding: Finding, mustLocate = false): Wording {
  const located = random.chance(0.7) || mustLocate;
  const name = random.pick(NAMES[finding.category]);
  const modifier = wordModifier(random, finding);
  const phrase = located ? locate(random, finding, modifier, name) : join(modifier, name);
  const kind: PhraseKind = finding.category === 'covid-like' ? 'own-words' : located ? 'located' : 'unlocated';
  return { phrase, sentence: wrap(random, finding.category, phrase, COUNTABLE.test(name)), kind };
}

/** A short form for the impression: the name, with the side where there is one. */
export function wordShort(random: Random, finding: Finding, mustLocate: boolean): string {
  const name = NAMES[finding.category][0] ?? finding.category;
  const sided = (finding.side === 'left' || finding.side === 'right') && (mustLocate || random.chance(0.7));
  return sentenceCase(sided ? `${finding.side} ${name}` : name);
}

/** Denies one or two classes in one sentence. */
export function wordNegation(random: Random, absent: readonly TrainedCategory[]): string {
  const names = absent.map((category) => NAMES[category][0] ?? category);
  const list = names.join(' or ');
  const forms = [
    `No ${list}.`,
    `There is no ${list}.`,
    `No evidence of ${list}.`,
    `${sentenceCase(names.join(' and '))} ${names.length > 1 ? 'are' : 'is'} not seen.`,
  ];
  if (names.length === 2) forms.push(`There is no ${names[0]} and no ${names[1]}.`);
  return random.pick(forms);
}

/** Sentences about nothing that is drawn. Decimals and abbreviations are there to keep sentence splitters honest. */
export function wordFiller(random: Random): string {
  return random.pick([
    'The bones are intact.',
    'The lungs are well expanded.',
    'The trachea is midline.',
    'No prior study is available.',
    `The tube tip is ${random.int(2, 6)}.${random.int(1, 10)} cm above the carina.`,
    `Discussed with Dr. ___ at ${random.int(7, 12)} a.m. by phone.`,
    'Portable frontal view vs. the prior study.',
    'The soft tissues are normal.',
  ]);
}

/** True where a negation of `category` would contradict the findings. */
export function isNamedBy(category: TrainedCategory, findings: readonly Finding[]): boolean {
  const related: Readonly<Partial<Record<Category, readonly TrainedCategory[]>>> = {
    // An opacity is what all of these look like, so a report with one never denies "opacity".
    pneumonia: ['lung opacity', 'consolidation'],
    consolidation: ['lung opacity', 'pneumonia'],
    'lung opacity': ['pneumonia', 'consolidation'],
    atelectasis: ['lung opacity'],
    edema: ['lung opacity'],
    'covid-like': ['lung opacity', 'pneumonia', 'consolidation'],
  };
  return findings.some((f) => f.category === category || (related[f.category]?.includes(category) ?? false));
}

export function absentCategories(findings: readonly Finding[]): TrainedCategory[] {
  return TRAINED_CATEGORIES.filter((category) => !isNamedBy(category, findings));
}

function wordModifier(random: Random, finding: Finding): string {
  const bySeverity = finding.category === 'edema' || finding.category === 'cardiomegaly';
  if (!bySeverity && random.chance(0.55)) return random.pick(SIZES[finding.size]);
  if (random.chance(bySeverity ? 0.75 : 0.45)) return random.pick(SEVERITIES[finding.severity]);
  return '';
}

function locate(random: Random, finding: Finding, modifier: string, name: string): string {
  const { side, zone } = finding;
  const plain = join(modifier, name);
  switch (finding.category) {
    case 'edema':
      return random.pick([join(modifier, `bilateral perihilar ${name}`), `${plain} in both perihilar regions`]);
    case 'cardiomegaly':
      return random.pick([`${plain} in the midline`, `${plain} at the centre of the chest`]);
    case 'covid-like':
      return random.pick([join(modifier, `bilateral peripheral ${name}`), `${plain} along both lung peripheries`]);
    case 'pleural effusion':
      return random.pick([
        join(modifier, `${side} ${name}`),
        join(modifier, `${side} sided ${name}`),
        `${plain} on the ${side}`,
        `${plain} at the ${side} lung base`,
      ]);
    case 'pneumothorax':
      return random.pick([
        join(modifier, `${side} ${name}`),
        join(modifier, `${side} apical ${name}`),
        `${plain} on the ${side}`,
        `${plain} at the ${side} apex`,
      ]);
    default: {
      const place = random.pick(PLACES[lungZone(zone)]);
      return random.pick([
        `${plain} in the ${side} ${place}`,
        `${plain} in the ${side} ${place}`,
        join(modifier, `${side} ${place} ${name}`),
        `${plain} at the ${place} on the ${side}`,
      ]);
    }
  }
}

function lungZone(zone: Zone): 'upper' | 'middle' | 'lower' {
  return zone === 'upper' || zone === 'lower' ? zone : 'middle';
}

function wrap(random: Random, category: Category, phrase: string, countable: boolean): string {
  const frame = random.pick(FRAMES);
  const article = !countable || frame === '' ? '' : /^[aeiou]/.test(phrase) ? 'an' : 'a';
  const measured = category === 'consolidation' || category === 'lung opacity' || category === 'pneumothorax';
  const tail =
    measured && random.chance(0.12)
      ? `, measuring ${random.int(1, 6)}.${random.int(0, 10)} cm`
      : frame === ''
        ? random.pick(TAILS)
        : random.pick(TAILS.filter((text) => !text.startsWith(' is')));
  // The phrase itself stays as it is, so that a sentence can be searched for its phrase.
  return `${sentenceCase(join(frame, article, phrase))}${tail}.`;
}

function join(...words: readonly string[]): string {
  return words.filter((word) => word !== '').join(' ');
}

function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
