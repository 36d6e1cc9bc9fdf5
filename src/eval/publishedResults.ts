/** Corpora that the paper reports on. */
export const PAPER_CORPORA = ['rsna', 'covid-rural', 'ms-cxr'] as const;
export type PaperCorpus = (typeof PAPER_CORPORA)[number];

export interface PublishedFigure {
  readonly iou: number;
  readonly dice: number;
}

export interface PublishedRow {
  readonly method: string;
  readonly mean: PublishedFigure;
  /** By class, where the paper gives it. */
  readonly classes?: Readonly<Record<string, PublishedFigure>>;
}

export interface PublishedTable {
  readonly number: number;
  readonly title: string;
  /** What the images are asked for. */
  readonly query: string;
  /** Classes of the columns; empty where the corpus has one. */
  readonly classes: readonly string[];
  readonly rows: readonly PublishedRow[];
}

const figure = (iou: number, dice: number): PublishedFigure => ({ iou, dice });
const row = (method: string, iou: number, dice: number): PublishedRow => ({ method, mean: figure(iou, dice) });

/** The paper's own row, in its tables. */
export const PAPER_METHOD = 'Yang et al. (the paper)';

const msCxrClasses: Readonly<Record<string, PublishedFigure>> = {
  pneumonia: figure(0.425, 0.576),
  pneumothorax: figure(0.106, 0.163),
  consolidation: figure(0.386, 0.538),
  atelectasis: figure(0.388, 0.538),
  edema: figure(0.294, 0.433),
  cardiomegaly: figure(0.33, 0.485),
  'lung opacity': figure(0.325, 0.468),
  'pleural effusion': figure(0.368, 0.525),
};

/** Tables 1 to 3 of Yang et al., "Multimodal self-supervised learning for lesion localization". */
export const PUBLISHED_TABLES: Readonly<Record<PaperCorpus, PublishedTable>> = {
  rsna: {
    number: 1,
    title: 'RSNA Pneumonia',
    query: '"Findings suggesting pneumonia."',
    classes: [],
    rows: [
      row('GLoRIA', 0.218, 0.347),
      row('BioViL', 0.303, 0.439),
      row('MedKLIP', 0.317, 0.465),
      row(PAPER_METHOD, 0.331, 0.474),
    ],
  },
  'covid-rural': {
    number: 2,
    title: 'COVID Rural',
    query: '"Findings suggesting COVID-19."',
    classes: [],
    rows: [
      row('GLoRIA', 0.065, 0.114),
      row('BioViL', 0.12, 0.197),
      row('MedKLIP', 0.137, 0.228),
      row(PAPER_METHOD, 0.222, 0.336),
    ],
  },
  'ms-cxr': {
    number: 3,
    title: 'MS-CXR by class',
    query: "the radiologist's phrase",
    classes: Object.keys(msCxrClasses),
    rows: [
      row('GLoRIA', 0.269, 0.392),
      row('BioViL', 0.259, 0.382),
      row('MedKLIP', 0.264, 0.395),
      { ...row(PAPER_METHOD, 0.328, 0.466), classes: msCxrClasses },
    ],
  },
};

/** The corpus of the paper that a data set's name tells of; undefined for other data. */
export function paperCorpusOf(datasetName: string): PaperCorpus | undefined {
  const name = datasetName.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  if (name.includes('rsna')) return 'rsna';
  if (name.includes('covidrural') || name.includes('covid19ar')) return 'covid-rural';
  return name.includes('mscxr') ? 'ms-cxr' : undefined;
}

/** One spelling for the classes of different corpora: `Pleural_Effusion`, `pleural-effusion`, `Effusion` become `pleural effusion`. */
export function canonicalClass(name: string): string {
  const plain = name
    .trim()
    .toLowerCase()
    .replaceAll(/[_\s]+/g, ' ');
  const same: Readonly<Record<string, string>> = { effusion: 'pleural effusion', opacity: 'lung opacity' };
  const spaced = plain.replaceAll('-', ' ');
  if (same[spaced] !== undefined || spaced in msCxrClasses) return same[spaced] ?? spaced;
  return plain;
}
