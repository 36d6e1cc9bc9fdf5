/** The peers alone: `npx tsx bench/peers/main.ts --adapter swiftshader --json out.json`. */
import { parseArgs } from 'node:util';
import { writeJsonAtomic } from '../../src/io/atomic.node.ts';
import { openBrowserPeers } from './browser/browserPeers.node.ts';
import type { Contender } from './protocol.ts';
import { contenders, peerAdapters } from './protocol.ts';
import { findPyTorch, isPyTorch } from './pytorch/pythonPeer.node.ts';
import { runPeers } from './suite.ts';
import { formatHeader, formatRow, formatSummary } from './table.ts';

const { values } = parseArgs({
  options: {
    adapter: { type: 'string', default: 'auto' },
    only: { type: 'string' },
    with: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string' },
    browser: { type: 'boolean', default: false },
  },
});
const adapter = peerAdapters.find((choice) => choice === values.adapter);
if (!adapter) throw new Error(`--adapter is "${values.adapter}"; expected one of ${peerAdapters.join(', ')}.`);
const browser = values.browser ? await openBrowserPeers(adapter) : undefined;
const torch = browser ? [] : findPyTorch();
const possible = contenders.filter((contender) => !isPyTorch(contender) || torch.includes(contender));
const chosen = values.with?.split(',') ?? [...possible];
const taking: Contender[] = possible.filter((contender) => chosen.includes(contender));

const progress = (line: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}\r`);
};
console.log(formatHeader(taking));
const report = await runPeers({
  adapter,
  only: values.only,
  contenders: taking,
  rounds: Number(values.rounds),
  ...(browser ? { makePeer: browser.makePeer } : {}),
  onProgress: progress,
  onRow: (row) => console.log(formatRow(row, taking)),
});
await browser?.close();
console.log(formatSummary(report));
if (values.json) await writeJsonAtomic(values.json, report);
