import { REPORT_STYLE } from '../../src/eval/report-style.ts';
import { escapeHtml, figures, tableHtml } from './markup.ts';
import type { BenchFile } from './schema.ts';
import { percent, short } from './text.ts';

const style = `${REPORT_STYLE}
tr.group th { text-align: left; padding-top: 1.1rem; border-bottom: 1px solid var(--line); }
details > summary { margin: .45rem 0; font-size: .95rem; }
details { border-bottom: 1px solid var(--line); }
.chart { margin: 1rem 0 1.6rem; }
.provenance { font-size: .85rem; color: var(--soft); }
.provenance td:first-child { color: var(--soft); } .provenance td { text-align: left; white-space: normal; }
`;

function provenance({ adapter, processor, platform, versions, toggles, date, roofline }: BenchFile): string {
  const rows = [
    ['adapter', `${adapter.vendor} ${adapter.architecture} ${adapter.device}`],
    ['driver', adapter.description],
    ['processor', `${processor.model}, ${processor.cores} cores, ${platform}`],
    ['versions', `groundray ${versions.groundray}, Node ${versions.node}, webgpu ${versions.webgpu}`],
    ['commit', versions.commit === '' ? 'unknown' : versions.commit],
    ['toggles', toggles.join(' ')],
    ['date', date],
    ['noise', `${percent(roofline.arithmetic.spread)} in arithmetic, ${percent(roofline.copy.spread)} in copying`],
  ];
  return `<div class="provenance">${tableHtml(['', ''], rows)}</div>`;
}

/** The results as one self-contained page: no script, no link, charts inlined. */
export function renderReport(file: BenchFile, sections: readonly string[]): string {
  const { adapter, roofline, results } = file;
  const title = `groundray on ${adapter.description}`;
  const cards = figures([
    [short(roofline.gflops), 'GFLOP/s of f32 multiply-adds in registers'],
    [short(roofline.gigabytesPerSecond), 'GB/s of copying between large arrays'],
    [String(results.length), 'cases, in interleaved rounds'],
  ]);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p class="lead">${escapeHtml(`${adapter.kind} adapter, ${file.date.slice(0, 10)}`)}</p>
${cards}
${sections.join('\n')}
<section><h2>How it was measured</h2>${provenance(file)}</section>
</main>
</body>
</html>
`;
}
