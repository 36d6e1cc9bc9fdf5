import type { ReportTable } from './report-cells.ts';
import { protocolNotes } from './report-notes.ts';
import { reportSections } from './report-tables.ts';
import type { GroundingResult } from './result.ts';

/** The result as a Markdown document with all tables, baselines beside the model. */
export function renderMarkdown(result: GroundingResult): string {
  const lines = [`# Phrase grounding: ${result.model} on ${result.dataset}`, '', `> **${result.notice}**`, ''];
  lines.push(...protocolNotes(result).map((note) => `- ${note}`), '');
  for (const section of reportSections(result)) {
    lines.push(`## ${section.title}`, '', section.note, '');
    for (const table of section.tables) lines.push(...markdownTable(table), '');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

/** A table as lines of Markdown, with its title and note above. */
export function markdownTable({ title, note, header, rows }: ReportTable): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    ...(title === '' ? [] : [`### ${title}`, '']),
    ...(note === '' ? [] : [note, '']),
    line(header),
    line(header.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...rows.map(({ cells, emphasis }) =>
      line(
        cells.map(({ text, interval }) => {
          const value = emphasis ? `**${text}**` : text;
          return interval === undefined ? value : `${value} (${interval})`;
        }),
      ),
    ),
  ];
}

/**
 * The result as indented JSON; numbers that are not defined are null.
 *
 * @param rows Whether the scores of single phrases are kept: of all methods, of the model alone (default) or of none.
 */
export function renderJson(result: GroundingResult, rows: 'all' | 'model' | 'none' = 'model'): string {
  const presets = result.presets.map((preset) => ({
    ...preset,
    sideSwap: preset.sideSwap && (rows === 'none' ? { ...preset.sideSwap, cases: undefined } : preset.sideSwap),
    methods: preset.methods.map((method) => {
      const kept = rows === 'all' || (rows === 'model' && method.kind === 'model');
      return kept ? method : { ...method, rows: undefined };
    }),
  }));
  return `${JSON.stringify({ ...result, presets }, null, 2)}\n`;
}
