import { Buffer } from 'node:buffer';
import { barChartSvg } from '../io/charts.node.ts';
import { encodePng } from '../io/png.node.ts';
import { type GroundingExample, renderExample } from './examples.ts';
import type { ReportTable } from './report-cells.ts';
import { formatNumber, protocolNotes } from './report-notes.ts';
import { REPORT_STYLE } from './report-style.ts';
import { reportSections } from './report-tables.ts';
import type { GroundingResult, MethodResult, PresetResult } from './result.ts';

/**
 * The result as one self-contained HTML page: no script, no link, pictures inlined.
 *
 * @param examples Localized phrases to show (see `collectExamples`).
 */
export function renderHtml(result: GroundingResult, examples: readonly GroundingExample[] = []): string {
  const title = `Phrase grounding: ${result.model} on ${result.dataset}`;
  const sections = reportSections(result).map((section) => {
    const preset = result.presets.find((entry) => entry.preset === section.preset);
    const chart = preset ? `<div class="chart">${classChart(preset)}</div>` : '';
    const tables = section.tables.map(htmlTable).join('\n');
    return `<section><h2>${escapeHtml(section.title)}</h2><p class="note">${escapeHtml(section.note)}</p>${chart}${tables}</section>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<div class="banner" role="note">${escapeHtml(result.notice)}</div>
<main>
<h1>${escapeHtml(title)}</h1>
<p class="lead">${escapeHtml(`${result.counts.phrases} phrases in ${result.counts.images} images, ${Object.keys(result.counts.classes).length} classes`)}</p>
${headline(result)}
${gallery(examples)}
${sections.join('\n')}
<section><h2>Protocol</h2><ul class="protocol">${protocolNotes(result)
    .map((note) => `<li>${escapeHtml(note)}</li>`)
    .join('')}</ul></section>
</main>
</body>
</html>
`;
}

/** The few numbers that matter most, of the first preset. */
function headline(result: GroundingResult): string {
  const [preset] = result.presets;
  const [model, ...others] = preset?.methods ?? [];
  if (!preset || !model) return '';
  const { iou, dice, pointing } = model.overall.macro;
  const range = ({ low, high }: { low: number; high: number }) => `${formatNumber(low)} to ${formatNumber(high)}`;
  const figures = [
    [formatNumber(iou.value), `IoU, mean over classes (${range(iou)})`],
    [formatNumber(dice.value), `Dice, mean over classes (${range(dice)})`],
    [formatNumber(pointing.value), 'pointing game'],
  ];
  for (const { name, overall } of others.filter(({ kind }) => kind === 'comparison')) {
    figures.push([formatNumber(overall.macro.iou.value), `IoU of the ${name}`]);
  }
  const best = bestPrior(others.filter(({ kind }) => kind === 'prior'));
  if (best) figures.push([formatNumber(best.overall.macro.iou.value), `IoU of the best prior: ${best.name}`]);
  if (preset.sideSwap) {
    const { drop, relativeDrop } = preset.sideSwap;
    figures.push([formatNumber(drop.value), `IoU lost when left and right are swapped (${percent(relativeDrop)})`]);
  }
  const cards = figures.map(
    ([value = '', label = '']) =>
      `<div class="figure"><b>${escapeHtml(value)}</b><span>${escapeHtml(label)}</span></div>`,
  );
  return `<p class="note">Preset ${escapeHtml(preset.preset)}.</p><div class="figures">${cards.join('')}</div>`;
}

function bestPrior(priors: readonly MethodResult[]): MethodResult | undefined {
  const known = priors.filter((prior) => Number.isFinite(prior.overall.macro.iou.value));
  return known.sort((a, b) => b.overall.macro.iou.value - a.overall.macro.iou.value)[0];
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${formatNumber(100 * share, 0)}\u00a0%` : '–';
}

/** IoU per class of the model beside the three strongest priors; more bars cannot be told apart. */
function classChart({ methods, preset }: PresetResult): string {
  const [model, ...priors] = methods;
  if (!model) return '';
  const strongest = priors
    .filter((prior) => Number.isFinite(prior.overall.macro.iou.value))
    .sort((a, b) => b.overall.macro.iou.value - a.overall.macro.iou.value)
    .slice(0, 3);
  const categories = Object.keys(model.overall.classes);
  return barChartSvg({
    title: `IoU per class, ${preset}`,
    yLabel: 'IoU',
    categories,
    series: [model, ...strongest].map((method) => ({
      name: method.name,
      values: categories.map((name) => method.overall.classes[name]?.iou.value ?? Number.NaN),
    })),
    width: 960,
    height: 360,
  });
}

function gallery(examples: readonly GroundingExample[]): string {
  if (examples.length === 0) return '';
  const figures = examples.map((example) => {
    const png = Buffer.from(encodePng(renderExample(example))).toString('base64');
    const alt = `Heat map of "${example.phrase}" over the image of study ${example.studyId}`;
    return `<figure><img alt="${escapeHtml(alt)}" src="data:image/png;base64,${png}"><figcaption>${escapeHtml(example.phrase)}<small>${escapeHtml(example.category)} · IoU ${formatNumber(example.iou)} · contour at ${escapeHtml(String(example.threshold))}</small></figcaption></figure>`;
  });
  return `<section><h2>Examples</h2>
<p class="note">Spread evenly from the best to the worst IoU, not picked.</p>
<p class="legend"><span class="key heat"></span>similarity, low to high<span class="key prediction"></span>predicted region<span class="key truth"></span>ground truth</p>
<div class="gallery">${figures.join('\n')}</div></section>`;
}

function htmlTable({ title, note, header, rows, folded }: ReportTable): string {
  const head = header.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('');
  const body = rows.map(({ cells, emphasis }) => {
    const columns = cells.map(({ text, interval }) => {
      const detail = interval === undefined ? '' : `<small>${escapeHtml(interval)}</small>`;
      return `<td>${escapeHtml(text)}${detail}</td>`;
    });
    return `<tr${emphasis ? ' class="model"' : ''}>${columns.join('')}</tr>`;
  });
  const twoNames = header[0] === 'Attribute' ? ' class="two"' : '';
  const table = `<div class="scroll"><table${twoNames}><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
  const remark = note === '' ? '' : `<p class="note">${escapeHtml(note)}</p>`;
  if (folded) return `<details><summary>${escapeHtml(title)}</summary>${remark}${table}</details>`;
  return `${title === '' ? '' : `<h3>${escapeHtml(title)}</h3>`}${remark}${table}`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
