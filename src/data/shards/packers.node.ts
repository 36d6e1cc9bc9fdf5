/** A pool of threads that pack images; results come in the order of the jobs. */
import type { Worker } from 'node:worker_threads';
import { startThread } from '../../io/thread.node.ts';
import { DataError } from '../errors.ts';
import type { Dataset } from '../types.ts';
import type { Failed, PackedStudy, PackJob, PackReply, PackRequest, PackWorkerInput } from './pack.node.ts';
import { packStudy } from './pack.node.ts';

/** Jobs that a worker has at a time: one in work, one waiting. Bounds what lies in memory. */
const AHEAD = 2;

export interface Packers {
  /** Results of the jobs, in their order. */
  pack(jobs: readonly PackJob[]): AsyncGenerator<PackedStudy | Failed, void>;
  close(): Promise<void>;
}

/** With 0 workers the calling thread packs. Throws DataError when a worker cannot open the source. */
export async function startPackers(dataset: Dataset, input: PackWorkerInput, workers: number): Promise<Packers> {
  if (workers === 0) return { pack: (jobs) => packHere(dataset, jobs, input), close: async () => {} };
  const started = await Promise.allSettled(Array.from({ length: workers }, () => startWorker(input)));
  const pool = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const close = async (): Promise<void> => void (await Promise.all(pool.map((worker) => worker.close())));
  const failure = started.find((each) => each.status === 'rejected');
  if (failure) {
    await close();
    throw failure.reason;
  }
  return { pack: (jobs) => packThere(pool, jobs), close };
}

async function* packHere(dataset: Dataset, jobs: readonly PackJob[], input: PackWorkerInput) {
  for (const job of jobs) yield await packStudy(dataset, job, input);
}

async function* packThere(pool: readonly PackWorker[], jobs: readonly PackJob[]) {
  const waiting: Promise<PackedStudy | Failed>[] = [];
  let next = 0;
  const send = (): void => {
    const job = jobs[next];
    // Whoever has least to do: images differ in size, and their order is kept anyway.
    const [worker] = [...pool].sort((a, b) => a.load() - b.load());
    if (!job || !worker) return;
    next += 1;
    const result = worker.pack(job);
    // A failure belongs to whoever asks for the result.
    result.catch(() => {});
    waiting.push(result);
  };
  while (next < Math.min(jobs.length, AHEAD * pool.length)) send();
  for (let result = waiting.shift(); result; result = waiting.shift()) {
    const packed = await result;
    send();
    yield packed;
  }
}

interface PackWorker {
  pack(job: PackJob): Promise<PackedStudy | Failed>;
  load(): number;
  close(): Promise<void>;
}

function startWorker(input: PackWorkerInput): Promise<PackWorker> {
  return new Promise((resolve, reject) => {
    const worker: Worker = startThread('pack-worker.node', import.meta.url, input);
    const waiting = new Map<
      number,
      { resolve: (result: PackedStudy | Failed) => void; reject: (error: Error) => void }
    >();
    let number = 0;
    let failure: Error | undefined;
    const fail = (error: Error): void => {
      failure ??= error;
      for (const job of waiting.values()) job.reject(failure);
      waiting.clear();
      reject(failure);
    };
    worker.on('error', (error) => fail(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) => fail(new Error(`A worker that packs images ended with exit code ${code}.`)));
    worker.on('message', (reply: PackReply) => {
      if (reply.type === 'packed') {
        waiting.get(reply.number)?.resolve(reply.result);
        waiting.delete(reply.number);
      } else if (reply.type === 'failed') {
        fail(new DataError(reply.reason));
        void worker.terminate();
      } else {
        resolve({
          pack: (job) =>
            new Promise((resolveJob, rejectJob) => {
              if (failure) return rejectJob(failure);
              const request: PackRequest = { number: number++, job };
              waiting.set(request.number, { resolve: resolveJob, reject: rejectJob });
              worker.postMessage(request);
            }),
          load: () => waiting.size,
          close: async () => void (await worker.terminate()),
        });
      }
    });
  });
}
