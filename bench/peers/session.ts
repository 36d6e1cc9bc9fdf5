import type { Library, Prepared } from './library.ts';
import { Unsupported } from './library.ts';
import type { Reply, Request, SampledResult, StartOptions } from './protocol.ts';
import { sample } from './protocol.ts';
import type { Workload } from './workloads.ts';
import { workloads } from './workloads.ts';

/** Makes the library of a contender on the adapter; differs between Node and a browser. */
export type OpenLibrary = (options: StartOptions) => Promise<Library>;

/** Results after the runs that the workload asks for; a train step's scalar losses become one result. */
async function checkedResults(prepared: Prepared, { checkedRuns }: Workload): Promise<Record<string, SampledResult>> {
  const losses: number[] = [];
  for (let run = 1; ; run++) {
    // The first run was made by the caller, who times it.
    if (run > 1) await prepared.run();
    const last = run === checkedRuns;
    const results = await prepared.results();
    const { loss } = results;
    if (loss) losses.push(loss[0] ?? Number.NaN);
    if (!last) continue;
    const all = loss ? { losses } : results;
    return Object.fromEntries(Object.entries(all).map(([name, values]) => [name, sample(values)]));
  }
}

/** Answers the suite's requests inside the process or page of one library. */
export class Session {
  private readonly open: OpenLibrary;
  private library: Library | undefined;
  private prepared: Prepared | undefined;

  constructor(open: OpenLibrary) {
    this.open = open;
  }

  /** Never rejects: what goes wrong is told in the reply. */
  async answer(request: Request): Promise<Reply> {
    try {
      return await this.handle(request);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: error instanceof Unsupported ? 'unsupported' : 'failed', reason };
    }
  }

  private async handle(request: Request): Promise<Reply> {
    if (request.kind === 'start') {
      const library = await this.open(request.options);
      this.library = library;
      return { kind: 'started', adapter: library.adapter };
    }
    if (request.kind === 'dispose') {
      await this.prepared?.dispose();
      this.prepared = undefined;
      return { kind: 'disposed' };
    }
    if (request.kind === 'prepare') {
      if (!this.library) throw new Error('The library has to be started before a workload is prepared.');
      const workload: Workload = workloads[request.workload];
      await this.prepared?.dispose();
      this.prepared = undefined;
      const prepared = await this.library.prepare(request.workload, workload.inputs());
      this.prepared = prepared;
      const firstMs = await time(prepared, 1);
      const results = await checkedResults(prepared, workload);
      await prepared.sync();
      return { kind: 'prepared', note: prepared.note, firstMs, results, onceMs: await time(prepared, 1) };
    }
    if (!this.prepared) throw new Error('A workload has to be prepared before it is timed.');
    return { kind: 'timed', ms: (await time(this.prepared, request.runs)) / request.runs };
  }
}

async function time(prepared: Prepared, runs: number): Promise<number> {
  const begin = performance.now();
  for (let i = 0; i < runs; i++) await prepared.run();
  await prepared.sync();
  return performance.now() - begin;
}
