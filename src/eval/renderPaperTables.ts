import type { PaperTable, PaperTables, TableFigure, TableFigures, TableRow } from './paperTables.ts';
import { formatNumber } from './report-notes.ts';

const heading = ({ number, title }: PaperTable): string => (number === undefined ? title : `Table ${number}. ${title}`);

/** Without the leading zero, as tables print shares. */
const short = ({ value }: TableFigure): string => formatNumber(value).replace(/^(-?)0\./, '$1.');

const interval = ({ low, high }: TableFigure): string | undefined =>
  low === undefined || high === undefined || !Number.isFinite(low)
    ? undefined
    : `${short({ value: low })} to ${short({ value: high })}`;

/** Cells after the method and its source: IoU and Dice, or Dice / IoU per class with the mean at the end. */
function header(table: PaperTable): string[] {
  if (table.classes.length === 0) return ['IoU', 'Dice'];
  return [...table.classes.map((name) => `${name}${table.unseenClasses.includes(name) ? ' †' : ''}`), 'mean'];
}

function cells(table: PaperTable, row: TableRow, range: (figure: TableFigure) => string): string[] {
  const { iou, dice } = row.mean;
  if (table.classes.length === 0) return [`${short(iou)}${range(iou)}`, `${short(dice)}${range(dice)}`];
  const both = (figures: TableFigures | undefined, dash: string): string =>
    figures ? `${short(figures.dice)} / ${short(figures.iou)}` : dash;
  return [
    ...table.classes.map((name) => both(row.classes[name], '–')),
    `${short(dice)}${range(dice)} / ${short(iou)}${range(iou)}`,
  ];
}

function notes(table: PaperTable): string[] {
  const { measured, missing, unseenClasses, classes } = table;
  const what = classes.length === 0 ? '' : 'Cells: Dice / IoU. ';
  const unseen = unseenClasses.length === 0 ? '' : ' † Never shown in training; not part of the mean.';
  const source = measured
    ? `Measured here on ${measured.phrases} phrases in ${measured.images} images of ${measured.dataset}.`
    : '';
  return [
    `${what}Asked for: ${table.query}${/[."]$/.test(table.query) ? '' : '.'} ${source}${unseen}`.trim(),
    ...(missing === undefined ? [] : [missing]),
  ];
}

function protocolNote({ protocol }: PaperTables): string {
  if (!protocol) return 'Nothing was measured: the figures are those that the paper prints.';
  const { thresholds, sigma, grid, evaluationSide, resamples } = protocol;
  return (
    `Measured rows: cosine map of ${grid.width}x${grid.height} cells, Gaussian sigma ${sigma}, stretched to [-1, 1] per image, IoU and Dice ` +
    `averaged over the thresholds ${thresholds.join(', ')}, then over phrases, then over classes; masks of at most ${evaluationSide} pixels; ` +
    `95 % intervals by ${resamples} resamples of images. Published rows were not measured here. Location priors never see the image.`
  );
}

export function renderTablesMarkdown(tables: PaperTables): string {
  const line = (parts: readonly string[]) => `| ${parts.map((part) => part.replaceAll('|', '\\|')).join(' | ')} |`;
  const lines = ['# Phrase grounding: the tables of the paper', '', `> **${tables.notice}**`, '', protocolNote(tables)];
  for (const table of tables.tables) {
    const columns = ['Method', 'Source', ...header(table)];
    lines.push('', `## ${heading(table)}`, '', ...notes(table).flatMap((note) => [note, '']));
    lines.push(line(columns), line(columns.map((_, i) => (i < 2 ? '---' : '---:'))));
    for (const row of table.rows) {
      const range = (figure: TableFigure) => (interval(figure) ? ` (${interval(figure)})` : '');
      const method = row.kind === 'model' ? `**${row.method}**` : row.method;
      lines.push(line([method, row.source, ...cells(table, row, range)]));
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Indented JSON with all figures, intervals and counts; a figure that is not defined is null. */
export function renderTablesJson(tables: PaperTables): string {
  return `${JSON.stringify(tables, null, 2)}\n`;
}

/** `table` environments for a document that loads `booktabs`. */
export function renderTablesLatex(tables: PaperTables): string {
  const lines = [`% ${escapeLatex(tables.notice)}`, '% Needs \\usepackage{booktabs} and \\usepackage{graphicx}.'];
  for (const table of tables.tables) {
    const columns = header(table);
    // LaTeX numbers tables itself.
    const ofPaper = table.number === undefined ? '' : ` (Table ${table.number} of the paper)`;
    const captions = [`${table.title}${ofPaper}.`, ...notes(table), protocolNote(tables), tables.notice];
    lines.push('', '\\begin{table}', '\\centering', `\\caption{${captions.map(escapeLatex).join(' ')}}`);
    lines.push('\\resizebox{\\linewidth}{!}{%', `\\begin{tabular}{ll${'c'.repeat(columns.length)}}`, '\\toprule');
    lines.push(latexRow(['Method', 'Source', ...columns], false), '\\midrule');
    table.rows.forEach((row, i) => {
      if (i > 0 && table.rows[i - 1]?.kind !== row.kind) lines.push('\\midrule');
      const range = (figure: TableFigure) => (interval(figure) ? ` (${interval(figure)})` : '');
      lines.push(latexRow([row.method, row.source, ...cells(table, row, range)], row.kind === 'model'));
    });
    lines.push('\\bottomrule', '\\end{tabular}}', '\\end{table}');
  }
  return `${lines.join('\n')}\n`;
}

function latexRow(parts: readonly string[], bold: boolean): string {
  const escaped = parts.map(escapeLatex);
  return `${(bold ? escaped.map((part) => `\\textbf{${part}}`) : escaped).join(' & ')} \\\\`;
}

const LATEX: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '"': "''",
  '–': '--',
  '†': '\\dag{}',
};

/** Text for LaTeX; double quotes open and close in turn. */
export function escapeLatex(text: string): string {
  return text.replace(/"([^"]*)"/g, "``$1''").replace(/[\\~^<>"–†#$%&_{}]/g, (found) => LATEX[found] ?? `\\${found}`);
}
