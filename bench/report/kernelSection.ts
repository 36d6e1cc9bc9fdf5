import type { Roofline } from '../measure/roofline.ts';
import { byFamily, kernelCells, kernelColumns } from './kernelTable.ts';
import { section, tableHtml } from './markup.ts';
import type { CaseResult } from './schema.ts';

export function kernelSection(results: readonly CaseResult[], roofline: Roofline): string {
  const rows = [...byFamily(results)].flatMap(([family, ofFamily]) => [
    [family],
    ...ofFamily.map((result) => [result.name, ...kernelCells(result, roofline)]),
  ]);
  const note =
    'Median over the rounds and the spread of one. The share of the roofline is the time that the device would need at ' +
    'its best over the measured one; arrays that stay in a cache may exceed what copying large ones reaches.';
  return section('Kernels', note, tableHtml(['case', ...kernelColumns], rows));
}
