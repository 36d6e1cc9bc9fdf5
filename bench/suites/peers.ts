import { Interrupted } from '../measure/rounds.ts';
import { openBrowserPeers } from '../peers/browser/browserPeers.node.ts';
import type { Contender } from '../peers/protocol.ts';
import { contenders } from '../peers/protocol.ts';
import { isPyTorch } from '../peers/pytorch/pythonPeer.node.ts';
import type { PeerReport } from '../peers/suite.ts';
import { runPeers } from '../peers/suite.ts';
import { comparison, formatHeader, formatRow, formatSummary } from '../peers/table.ts';
import { workloadNames } from '../peers/workloads.ts';
import { folded, section, tableHtml } from '../report/markup.ts';
import { short } from '../report/text.ts';
import type { Suite, SuiteOptions, SuiteReport } from './suite.ts';

function collect({ only }: Pick<SuiteOptions, 'only'>): readonly string[] {
  return 'peers'.includes(only) ? workloadNames : workloadNames.filter((name) => name.toLowerCase().includes(only));
}

const reportOf = ({ extra }: SuiteReport): PeerReport => extra as PeerReport;

function peerTable(report: SuiteReport): string {
  const peers = reportOf(report);
  const rows = peers.rows.map((row) => formatRow(row, contenders));
  return ['Other libraries on the same work', formatHeader(contenders), ...rows, formatSummary(peers)].join('\n');
}

function peerSection(report: SuiteReport): string {
  const peers = reportOf(report);
  const cell = (row: PeerReport['rows'][number], contender: Contender): string => {
    const found = row.cells[contender];
    return found?.status === 'measured' ? short(found.medianMs) : (found?.status ?? '');
  };
  const rows = peers.rows.map((row) => {
    const found = comparison(row);
    return [
      row.title,
      ...contenders.map((contender) => cell(row, contender)),
      found ? `${found.ratio.toFixed(2)}x ${found.peer}` : '',
    ];
  });
  const note =
    'Median milliseconds; every result was compared with a reference first. At the end, the fastest other one.';
  const reasons = formatSummary(peers).split('\n');
  const why = folded(
    'versions and what could not be measured',
    tableHtml(
      [''],
      reasons.map((line) => [line]),
    ),
  );
  return section('Other libraries', note, tableHtml(['work', ...contenders, 'faster than'], rows) + why);
}

export const peerSuite: Suite = {
  name: 'peers',
  about: 'the same work in other WebGPU libraries, each in a process of its own',
  count: async (options) => collect(options).length,
  run: async ({ signal, onProgress, adapter, only, rounds, browser }) => {
    const names = collect({ only });
    const pages = browser ? await openBrowserPeers(adapter) : undefined;
    const began = performance.now();
    let done = 0;
    try {
      const report = await runPeers({
        adapter,
        only: 'peers'.includes(only) ? '' : only,
        rounds,
        // A Python process is no page.
        ...(pages ? { makePeer: pages.makePeer, contenders: contenders.filter((name) => !isPyTorch(name)) } : {}),
        onProgress: (name) => {
          if (signal.aborted) throw new Interrupted();
          const leftMs = done === 0 ? 0 : ((performance.now() - began) / done) * (names.length - done);
          onProgress({ done, total: names.length, name, leftMs });
        },
        onRow: () => {
          done += 1;
        },
      });
      return { results: [], extra: report };
    } finally {
      await pages?.close();
    }
  },
  table: peerTable,
  html: peerSection,
};
