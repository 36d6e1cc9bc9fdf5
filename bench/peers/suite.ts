import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AdapterSummary } from '../../src/gpu/adapter.ts';
import { checkResults } from './check.ts';
import type { Peer } from './childProcess.ts';
import { ChildPeer } from './childProcess.ts';
import type { Contender, PeerAdapter, SampledResult } from './protocol.ts';
import { contenders, sample } from './protocol.ts';
import { isPyTorch, PythonPeer } from './pytorch/pythonPeer.node.ts';
import type { Workload, WorkloadName } from './workloads.ts';
import { workloadNames, workloads } from './workloads.ts';

export interface PeersOptions {
  readonly adapter: PeerAdapter;
  /** Workloads whose name contains this; all by default. */
  readonly only?: string | undefined;
  /** Who takes part; everybody by default. */
  readonly contenders?: readonly Contender[] | undefined;
  /** Measurements per cell; their median counts. 5 by default. */
  readonly rounds?: number | undefined;
  readonly onProgress?: (line: string) => void;
  readonly onRow?: (row: PeerRow) => void;
  /** Makes the place where a library runs; a process by default. */
  readonly makePeer?: (contender: Contender) => Promise<Peer>;
}

/** What became of one workload in one library. */
export type PeerCell =
  | {
      readonly status: 'measured';
      readonly medianMs: number;
      readonly samplesMs: readonly number[];
      /** Runs per measurement. */
      readonly runs: number;
      readonly firstMs: number;
      /** Largest difference from the reference, as a share of its largest value. */
      readonly error: number;
      readonly note: string;
    }
  | { readonly status: 'wrong' | 'unsupported' | 'failed'; readonly reason: string };

export interface PeerRow {
  readonly workload: WorkloadName;
  readonly title: string;
  readonly tolerance: number;
  readonly cells: Readonly<Partial<Record<Contender, PeerCell>>>;
}

export interface PeerReport {
  readonly date: string;
  readonly node: string;
  readonly adapter: AdapterSummary | undefined;
  /** Versions of the libraries, or why they did not start. */
  readonly libraries: Readonly<Partial<Record<Contender, string>>>;
  readonly rows: readonly PeerRow[];
}

const packages: Readonly<Partial<Record<Contender, string>>> = {
  'jax-js': '@jax-js/jax',
  tfjs: '@tensorflow/tfjs-backend-webgpu',
  onnxruntime: 'onnxruntime-web',
  'webgpu-torch': 'webgpu-torch',
};

/** Pinned exactly in package.json; not every library can tell its version itself. */
function versionOf(contender: Contender): string {
  const file = join(import.meta.dirname, '..', '..', 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as {
    version: string;
    devDependencies: Record<string, string>;
  };
  const name = packages[contender];
  return (name ? manifest.devDependencies[name] : manifest.version) ?? 'unknown';
}

const makeProcess = async (contender: Contender): Promise<Peer> =>
  isPyTorch(contender) ? new PythonPeer() : new ChildPeer();

/** Reduced precision is allowed its rounding: TF32 and bfloat16 have 10 and 7 bits of mantissa. */
const looser: Readonly<Partial<Record<Contender, number>>> = { 'pytorch-tf32': 30, 'pytorch-amp': 500 };

const notAvailable = 'not available';
const startTimeoutMs = 60_000;
const prepareTimeoutMs = 90_000;
/** A measurement repeats the work until it takes about this long. */
const leastMs = 25;
/** A cell is left once it has three measurements and has taken this long. */
const cellBudgetMs = 5_000;

/** A library whose results passed. */
interface Entrant {
  readonly contender: Contender;
  readonly peer: Peer;
  readonly firstMs: number;
  readonly error: number;
  readonly note: string;
  readonly runs: number;
  readonly samplesMs: number[];
  failure?: string;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The libraries that run, each in its process; one that died is started again for the next workload. */
class Field {
  readonly libraries: Partial<Record<Contender, string>> = {};
  adapter: AdapterSummary | undefined;
  private readonly peers = new Map<string, Peer>();
  private readonly options: PeersOptions;

  constructor(options: PeersOptions) {
    this.options = options;
  }

  /** @returns the running peer, or why there is none. */
  async peer(contender: Contender, checks: boolean): Promise<Peer | string> {
    const key = `${contender} ${checks}`;
    const known = this.peers.get(key);
    if (known?.alive) return known;
    const before = this.libraries[contender];
    if (before?.startsWith(notAvailable)) return before;
    const peer = await (this.options.makePeer ?? makeProcess)(contender);
    const { adapter } = this.options;
    const reply = await peer.request({ kind: 'start', options: { contender, adapter, checks } }, startTimeoutMs);
    if (reply.kind !== 'started') {
      await peer.close();
      const reason = `${notAvailable}: ${'reason' in reply ? reply.reason : 'it did not start'}`;
      this.libraries[contender] ??= reason;
      return reason;
    }
    if ('version' in reply) {
      this.libraries[contender] = reply.version;
      this.peers.set(key, peer);
      return peer;
    }
    this.adapter ??= reply.adapter;
    if (reply.adapter.description !== this.adapter.description) {
      await peer.close();
      return `It runs on ${reply.adapter.description}, the others on ${this.adapter.description}.`;
    }
    this.libraries[contender] = versionOf(contender);
    this.peers.set(key, peer);
    return peer;
  }

  async close(): Promise<void> {
    await Promise.all([...this.peers.values()].map((peer) => peer.close()));
  }
}

type Expected = Readonly<Record<string, SampledResult>>;

async function tryOn(
  peer: Peer,
  contender: Contender,
  workload: WorkloadName,
  expected: Expected,
): Promise<Entrant | PeerCell> {
  const reply = await peer.request({ kind: 'prepare', workload }, prepareTimeoutMs);
  if (reply.kind === 'unsupported' || reply.kind === 'failed') return { status: reply.kind, reason: reply.reason };
  if (reply.kind !== 'prepared') return { status: 'failed', reason: `It answered "${reply.kind}" to "prepare".` };
  const { tolerance }: Workload = workloads[workload];
  const { error, failure } = checkResults(reply.results, expected, tolerance * (looser[contender] ?? 1));
  if (failure) return { status: 'wrong', reason: failure };
  const { firstMs, note, onceMs } = reply;
  const runs = Math.max(1, Math.ceil(leastMs / Math.max(onceMs, 0.05)));
  return { contender, peer, firstMs, note, error, runs, samplesMs: [] };
}

/**
 * Everybody runs without Dawn's checks. Kernels that read past the end of a buffer, and rely on the bounds checks that
 * browsers have, get them back in a second try instead of being wrong.
 */
async function enter(
  field: Field,
  contender: Contender,
  workload: WorkloadName,
  expected: Expected,
): Promise<Entrant | PeerCell> {
  const peer = await field.peer(contender, false);
  if (typeof peer === 'string') return { status: 'failed', reason: peer };
  const first = await tryOn(peer, contender, workload, expected);
  if (!('status' in first) || first.status !== 'wrong' || isPyTorch(contender)) return first;
  const checked = await field.peer(contender, true);
  if (typeof checked === 'string') return first;
  await peer.request({ kind: 'dispose' }, startTimeoutMs);
  const second = await tryOn(checked, contender, workload, expected);
  return 'status' in second ? first : { ...second, note: `${second.note}; needs Dawn's bounds checks` };
}

/** Measures the entrants in turns, so that what else the machine does hits all of them alike. */
async function race(entrants: readonly Entrant[], rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const entrant of entrants) {
      const spent = entrant.samplesMs.reduce((sum, ms) => sum + ms, 0) * entrant.runs;
      if (entrant.failure || (round >= 3 && spent > cellBudgetMs)) continue;
      const reply = await entrant.peer.request({ kind: 'time', runs: entrant.runs }, prepareTimeoutMs);
      if (reply.kind === 'timed') entrant.samplesMs.push(reply.ms);
      else entrant.failure = 'reason' in reply ? reply.reason : `It answered "${reply.kind}" to "time".`;
    }
  }
}

function cellOf({ failure, samplesMs, firstMs, error, note, runs }: Entrant): PeerCell {
  if (failure) return { status: 'failed', reason: failure };
  return { status: 'measured', medianMs: median(samplesMs), samplesMs, runs, firstMs, error, note };
}

async function runRow(field: Field, name: WorkloadName, options: PeersOptions): Promise<PeerRow> {
  const workload: Workload = workloads[name];
  const inputs = workload.inputs();
  const expected = Object.fromEntries(
    Object.entries(workload.reference(inputs)).map(([result, values]) => [result, sample(values)]),
  );
  const cells: Partial<Record<Contender, PeerCell>> = {};
  const entrants: Entrant[] = [];
  for (const contender of options.contenders ?? contenders) {
    options.onProgress?.(`${name}: ${contender}`);
    const entered = await enter(field, contender, name, expected);
    if ('status' in entered) cells[contender] = entered;
    else entrants.push(entered);
  }
  options.onProgress?.(`${name}: measuring`);
  await race(entrants, options.rounds ?? 5);
  for (const entrant of entrants) cells[entrant.contender] = cellOf(entrant);
  for (const { peer } of entrants) await peer.request({ kind: 'dispose' }, startTimeoutMs);
  return { workload: name, title: workload.title, tolerance: workload.tolerance, cells };
}

/** Runs our engine and the other libraries on the same work and the same adapter. A library that fails stops nobody. */
export async function runPeers(options: PeersOptions): Promise<PeerReport> {
  const field = new Field(options);
  const wanted = options.only?.toLowerCase() ?? '';
  const names = workloadNames.filter((name) => name.toLowerCase().includes(wanted));
  if (names.length === 0) throw new Error(`No workload contains "${wanted}"; there are ${workloadNames.join(', ')}.`);
  const rows: PeerRow[] = [];
  try {
    for (const name of names) {
      const row = await runRow(field, name, options);
      rows.push(row);
      options.onRow?.(row);
    }
  } finally {
    await field.close();
  }
  const { adapter, libraries } = field;
  return { date: new Date().toISOString(), node: process.version, adapter, libraries, rows };
}
