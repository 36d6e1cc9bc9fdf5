/** What a class is asked for with. */
export interface ClassPrompts {
  /** Several ways to name it; the one that fits an image best counts (GLoRIA's scheme). */
  readonly prompts: readonly string[];
  /** The finding affirmed and denied. */
  readonly pair: readonly [present: string, absent: string];
}

/** Names of findings beyond the class itself. A name should read well after "There is" and "There is no". */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  atelectasis: ['atelectasis', 'linear atelectasis', 'basilar atelectasis', 'atelectasis at the lung base'],
  cardiomegaly: ['cardiomegaly', 'enlargement of the heart', 'enlarged cardiac silhouette'],
  consolidation: ['consolidation', 'airspace consolidation', 'dense consolidation'],
  edema: ['edema', 'pulmonary edema', 'vascular congestion and edema', 'bilateral perihilar edema'],
  'lung opacity': ['opacity', 'lung opacity', 'hazy opacity'],
  'pleural effusion': ['pleural effusion', 'left pleural effusion', 'right pleural effusion', 'pleural fluid'],
  pneumonia: ['pneumonia', 'findings suggesting pneumonia', 'infiltrate suggesting pneumonia', 'patchy pneumonia'],
  pneumothorax: ['pneumothorax', 'apical pneumothorax', 'collection of pleural air'],
  'covid-like': ['findings suggesting pneumonia', 'multifocal covid changes', 'ground glass nodules'],
  'covid-19': ['findings suggesting COVID-19', 'bilateral peripheral ground glass opacities', 'viral pneumonia'],
};

const ALIASES: Readonly<Record<string, string>> = {
  effusion: 'pleural effusion',
  opacity: 'lung opacity',
  'enlarged heart': 'cardiomegaly',
  'pulmonary edema': 'edema',
  covid: 'covid-19',
};

/** Prompts of a class, whatever its spelling; classes that are not listed are named by themselves. */
export function promptsOf(category: string): ClassPrompts {
  const name = category.trim().toLowerCase().replaceAll('_', ' ');
  const spaced = name.replaceAll('-', ' ');
  const known = ALIASES[spaced] ?? (spaced in NAMES ? spaced : name);
  const prompts = NAMES[known] ?? [name, `findings suggesting ${name}`];
  return { prompts, pair: [`There is ${known}.`, `There is no ${known}.`] };
}
