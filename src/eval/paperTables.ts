import type { Estimate, GroupSummary } from './aggregate.ts';
import { RESEARCH_NOTICE } from './notice.ts';
import {
  canonicalClass,
  PAPER_CORPORA,
  type PaperCorpus,
  PUBLISHED_TABLES,
  paperCorpusOf,
} from './publishedResults.ts';
import type { GroundingResult, MethodResult, Protocol } from './result.ts';

/** A published figure is a value alone, a measured one has an interval and a number of phrases. */
export type TableFigure = Pick<Estimate, 'value'> & Partial<Estimate>;

export interface TableFigures {
  readonly iou: TableFigure;
  readonly dice: TableFigure;
}

export interface TableRow {
  readonly method: string;
  /** `published`: as the paper prints it. `measured`: here, by the protocol of the page. */
  readonly source: 'published' | 'measured';
  readonly kind: 'published' | 'model' | 'prior';
  readonly mean: TableFigures;
  readonly classes: Readonly<Record<string, TableFigures>>;
}

export interface PaperTable {
  /** Of the paper; undefined for data that it does not report on. */
  readonly number?: number;
  readonly title: string;
  readonly corpus?: PaperCorpus;
  readonly query: string;
  /** Columns beside the mean; empty where the corpus has one class. */
  readonly classes: readonly string[];
  /** Classes that training never showed: columns of their own, not part of the mean. */
  readonly unseenClasses: readonly string[];
  /** What was measured on. Undefined where the data are not there. */
  readonly measured?: { readonly dataset: string; readonly images: number; readonly phrases: number } | undefined;
  /** What is missing for a row of ours, and how to get it. */
  readonly missing?: string;
  readonly rows: readonly TableRow[];
}

export interface PaperTables {
  readonly kind: 'groundray-tables';
  readonly notice: string;
  readonly model: string;
  /** Of the rows that were measured; undefined when there are none. */
  readonly protocol?: Protocol | undefined;
  readonly tables: readonly PaperTable[];
}

/** Baselines of the tables; the oracles read the annotation and are no match for a model that does not. */
const PRIORS = ['random map', 'all ones', 'centre Gaussian', 'two-lung Gaussian', 'mean training mask'];

/**
 * The paper's three tables, the published rows first, then the location priors and the model wherever one of the results
 * is on that corpus; and a table of the same shape for each result on other data.
 *
 * @param results On one data set each, of the same model. Their preset `paper-minmax` is tabulated.
 */
export function paperTables(model: string, results: readonly GroundingResult[]): PaperTables {
  const corpusOf = (result: GroundingResult) => paperCorpusOf(result.dataset);
  const published = PAPER_CORPORA.flatMap((corpus) => {
    const own = results.filter((result) => corpusOf(result) === corpus);
    return own.length === 0 ? [publishedTable(corpus)] : own.map((result) => publishedTable(corpus, result));
  });
  const others = results.filter((result) => corpusOf(result) === undefined).map(otherTable);
  return {
    kind: 'groundray-tables',
    notice: RESEARCH_NOTICE,
    model,
    protocol: results[0]?.protocol,
    tables: [...published, ...others],
  };
}

function publishedTable(corpus: PaperCorpus, result?: GroundingResult): PaperTable {
  const { number, title, query, classes, rows } = PUBLISHED_TABLES[corpus];
  const measured = result ? measuredRows(result) : [];
  return {
    ...{ number, title, corpus, query },
    // Every class of the paper has its column, also one that these data lack.
    classes: classes.length === 0 ? [] : [...new Set([...classes, ...orderedClasses(measured, classes)])],
    unseenClasses: [],
    measured: result && countsOf(result),
    ...(result
      ? {}
      : {
          missing: `Not measured here: no data set of this corpus was given (--data ${corpus}:<folder of the corpus>).`,
        }),
    rows: [
      ...rows.map(
        ({ method, mean, classes: byClass = {} }): TableRow => ({
          ...{ method, source: 'published', kind: 'published' },
          mean: published(mean),
          classes: Object.fromEntries(Object.entries(byClass).map(([name, figure]) => [name, published(figure)])),
        }),
      ),
      ...measured,
    ],
  };
}

function published({ iou, dice }: { readonly iou: number; readonly dice: number }): TableFigures {
  return { iou: { value: iou }, dice: { value: dice } };
}

function otherTable(result: GroundingResult): PaperTable {
  const rows = measuredRows(result);
  const unseenClasses = result.counts.unseenClasses.map(canonicalClass);
  const classes = orderedClasses(rows, PUBLISHED_TABLES['ms-cxr'].classes);
  return {
    title: `${result.dataset} by class`,
    query: 'the phrases of the data set',
    classes: [...classes.filter((name) => !unseenClasses.includes(name)), ...unseenClasses],
    unseenClasses,
    measured: countsOf(result),
    rows,
  };
}

function countsOf({ dataset, counts }: GroundingResult): NonNullable<PaperTable['measured']> {
  return { dataset, images: counts.images, phrases: counts.phrases };
}

/** The known order first, then what else was measured. */
function orderedClasses(rows: readonly TableRow[], known: readonly string[]): string[] {
  const found = new Set(rows.flatMap(({ classes }) => Object.keys(classes)));
  const first = known.filter((name) => found.has(name));
  return [...first, ...[...found].filter((name) => !known.includes(name)).sort()];
}

/** The priors in the order of the list, then the model. */
function measuredRows(result: GroundingResult): TableRow[] {
  const methods = result.presets.find(({ preset }) => preset === 'paper-minmax')?.methods ?? [];
  const priors = PRIORS.flatMap((name) => methods.find((method) => method.name === name) ?? []);
  const models = methods.filter(({ kind }) => kind === 'model');
  return [...priors, ...models].map(measuredRow);
}

function measuredRow({ name, kind, overall, unseen }: MethodResult): TableRow {
  const classes: Record<string, TableFigures> = {};
  const add = (group: GroupSummary | undefined): void => {
    for (const [category, { iou, dice }] of Object.entries(group?.classes ?? {})) {
      classes[canonicalClass(category)] = { iou, dice };
    }
  };
  add(overall);
  add(unseen?.overall);
  const { iou, dice } = overall.macro;
  const isModel = kind === 'model';
  return {
    method: isModel ? `groundray (${name})` : name,
    source: 'measured',
    kind: isModel ? 'model' : 'prior',
    mean: { iou, dice },
    classes,
  };
}
