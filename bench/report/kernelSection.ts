import type { Roofline } from '../measure/roofline.ts';
import { median } from '../measure/statistics.ts';
import type { SuiteReport } from '../suites/suite.ts';
import { failuresOf } from '../suites/suite.ts';
import { barsSvg, type RooflinePoint, rooflineSvg } from './charts.ts';
import { byFamily, efficiencyOf, kernelCells, kernelColumns } from './kernelTable.ts';
import { folded, notes, section, tableHtml } from './markup.ts';
import type { CaseResult } from './schema.ts';
import { percent } from './text.ts';

/** More colours than these cannot be told apart; all other families share the last. */
const coloured = ['conv2d', 'matmul', 'attention', 'contrastive', 'batchNorm', 'layerNorm', 'softmax'] as const;

function pointOf(result: CaseResult, roofline: Roofline): RooflinePoint[] {
  const { flops = 0, bytes = 0, family } = result;
  if (flops === 0 || bytes === 0) return [];
  const group = coloured.find((name) => name === family) ?? 'others';
  return [{ group, intensity: flops / bytes, gflops: efficiencyOf(result, roofline).gflops }];
}

function charts(results: readonly CaseResult[], roofline: Roofline): string {
  const points = results.flatMap((result) => pointOf(result, roofline));
  const order = (group: string): number => [...coloured, 'others'].indexOf(group);
  const sorted = points.sort((a, b) => order(a.group) - order(b.group));
  const bars = [...byFamily(results)]
    .map(([name, ofFamily]) => {
      const share = median(ofFamily.map((result) => efficiencyOf(result, roofline).share));
      return { name, value: 100 * share, label: percent(share) };
    })
    .sort((a, b) => b.value - a.value);
  const plot = points.length > 0 ? `<div class="chart">${rooflineSvg(sorted, roofline)}</div>` : '';
  return `${plot}<div class="chart">${barsSvg('Share of the roofline, median over the cases', '%', bars)}</div>`;
}

export function kernelSection(report: SuiteReport, roofline: Roofline): string {
  const { results } = report;
  if (results.length === 0) return '';
  const tables = [...byFamily(results)].map(([family, ofFamily]) => {
    const rows = ofFamily.map((result) => [result.name, ...kernelCells(result, roofline)]);
    return folded(`${family}: ${ofFamily.length} cases`, tableHtml(['case', ...kernelColumns], rows));
  });
  const note =
    'Median over the rounds and the spread of one. The share of the roofline is the time that the device would need at ' +
    'its best over the measured one; arrays that stay in a cache may exceed what copying large ones reaches.';
  return section('Kernels', note, charts(results, roofline) + notes(failuresOf(report)) + tables.join(''));
}
