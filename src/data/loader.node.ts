/** Batches made ahead of time on worker threads, so that the main thread only feeds the GPU. */
import type { Worker } from 'node:worker_threads';
import { startThread } from '../io/thread.node.ts';
import { type BatchOptions, type BatchSource, createBatchSource } from './batches.ts';
import { DataError } from './errors.ts';
import type { WorkerInput, WorkerReply } from './loader-worker.node.ts';
import { type DatasetSpec, openDataset } from './open.node.ts';
import { createTokenizer, type TokenizerSpec } from './text/tokenizer.ts';
import type { Batch, DroppedStudy } from './types.ts';

export interface LoaderOptions extends BatchOptions {
  readonly dataset: DatasetSpec;
  readonly tokenizer: TokenizerSpec;
  /** Worker threads, default 1; 0 makes the batches on the calling thread. */
  readonly workers?: number;
  /** Batches made ahead, default 4. */
  readonly prefetch?: number;
}

export interface BatchLoader {
  readonly stepsPerEpoch: number;
  readonly studies: number;
  readonly dropped: readonly DroppedStudy[];
  /** Threads in use; 0 when batches are made on the calling thread. */
  readonly workers: number;
  /** Why fewer workers run than were asked for, in a sentence for the user. */
  readonly notice?: string;
  /** The batch of an epoch and step, from the prefetched ones where it is among them. */
  batch(epoch: number, step: number): Promise<Batch>;
  /** Endless batches from the given place, for resuming at (epoch, step). */
  batches(epoch?: number, step?: number): AsyncGenerator<{ epoch: number; step: number; batch: Batch }, never>;
  /** Ends the workers, so that Node can exit. */
  close(): Promise<void>;
}

/** Throws DataError for data that cannot be used; a worker that cannot start is replaced by the calling thread. */
export async function createBatchLoader(options: LoaderOptions): Promise<BatchLoader> {
  const { workers = 1, prefetch = 4 } = options;
  const { producers, notice } = await startProducers(options, workers);
  const first = producers[0] as Producer;
  const { stepsPerEpoch, studies, dropped } = first;
  const ahead = new Map<string, Promise<Batch>>();
  let closed = false;

  const request = (epoch: number, step: number): Promise<Batch> => {
    const key = `${epoch}:${step}`;
    const known = ahead.get(key);
    if (known) return known;
    const producer = producers[(epoch * stepsPerEpoch + step) % producers.length] as Producer;
    const promise = producer.batch(epoch, step);
    // A failure belongs to whoever asks for the batch; until then it must not end the process.
    promise.catch(() => {});
    ahead.set(key, promise);
    return promise;
  };
  const batch = async (epoch: number, step: number): Promise<Batch> => {
    if (closed) throw new Error('The batch loader is closed; open a new one to read more batches.');
    const wanted = [...Array(1 + (first.isWorker ? prefetch : 0)).keys()].map((k) => {
      const index = epoch * stepsPerEpoch + step + k;
      return [Math.floor(index / stepsPerEpoch), index % stepsPerEpoch] as const;
    });
    if (step < 0 || step >= stepsPerEpoch) return first.batch(epoch, step);
    const keys = new Set(wanted.map(([e, s]) => `${e}:${s}`));
    for (const key of ahead.keys()) if (!keys.has(key)) ahead.delete(key);
    const promises = wanted.map(([e, s]) => request(e, s));
    ahead.delete(`${epoch}:${step}`);
    return promises[0] as Promise<Batch>;
  };
  return {
    stepsPerEpoch,
    studies,
    dropped,
    workers: producers.filter((producer) => producer.isWorker).length,
    ...(notice === undefined ? {} : { notice }),
    batch,
    async *batches(epoch = 0, step = 0) {
      for (let index = epoch * stepsPerEpoch + step; ; index++) {
        const place = { epoch: Math.floor(index / stepsPerEpoch), step: index % stepsPerEpoch };
        yield { ...place, batch: await batch(place.epoch, place.step) };
      }
    },
    async close() {
      closed = true;
      ahead.clear();
      await Promise.all(producers.map((producer) => producer.close()));
    },
  };
}

interface Producer extends BatchSource {
  readonly isWorker: boolean;
  close(): Promise<void>;
}

async function startProducers(
  options: LoaderOptions,
  count: number,
): Promise<{ producers: Producer[]; notice?: string }> {
  if (count > 0) {
    const cacheMegabytes = (options.cacheMegabytes ?? 256) / count;
    const started = await Promise.allSettled(
      Array.from({ length: count }, () => startWorker({ ...options, cacheMegabytes })),
    );
    const producers = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const failure = started.find((result) => result.status === 'rejected')?.reason as unknown;
    if (failure === undefined) return { producers };
    await Promise.all(producers.map((producer) => producer.close()));
    if (!(failure instanceof WorkerStartError)) throw failure;
    const notice = `Batches are made on the main thread, because a worker thread could not start: ${failure.message}`;
    return { producers: [await startInProcess(options)], notice };
  }
  return { producers: [await startInProcess(options)] };
}

async function startInProcess(options: LoaderOptions): Promise<Producer> {
  const dataset = await openDataset(options.dataset);
  const source = createBatchSource(dataset, createTokenizer(options.tokenizer), options);
  return { ...source, isWorker: false, close: async () => {} };
}

class WorkerStartError extends Error {}

function startWorker(options: LoaderOptions): Promise<Producer> {
  const { dataset, tokenizer, workers: _workers, prefetch: _prefetch, ...batch } = options;
  const input: WorkerInput = { dataset, tokenizer, batch };
  return new Promise((resolve, reject) => {
    let worker: Worker;
    try {
      worker = startThread('loader-worker.node', import.meta.url, input);
    } catch (error) {
      reject(new WorkerStartError(String(error)));
      return;
    }
    const waiting = new Map<number, { resolve: (batch: Batch) => void; reject: (error: Error) => void }>();
    let nextId = 0;
    let failure: Error | undefined;
    const fail = (error: Error): void => {
      failure ??= error;
      for (const { reject: rejectBatch } of waiting.values()) rejectBatch(failure);
      waiting.clear();
      reject(new WorkerStartError(error.message));
    };
    worker.on('error', (error) => fail(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) => fail(new Error(`The data worker ended with exit code ${code}.`)));
    worker.on('message', (reply: WorkerReply) => {
      if (reply.type === 'ready') {
        worker.unref();
        resolve({
          ...reply.summary,
          isWorker: true,
          batch: (epoch, step) =>
            new Promise((resolveBatch, rejectBatch) => {
              if (failure) return rejectBatch(failure);
              const id = nextId++;
              waiting.set(id, { resolve: resolveBatch, reject: rejectBatch });
              // An idle worker must not keep a program alive that ended without closing the loader.
              worker.ref();
              worker.postMessage({ id, epoch, step });
            }),
          close: async () => void (await worker.terminate()),
        });
      } else if (reply.type === 'failed') {
        // The thread works, the data don't.
        reject(revive(reply.error));
        void worker.terminate();
      } else {
        const request = waiting.get(reply.id);
        waiting.delete(reply.id);
        if (waiting.size === 0) worker.unref();
        if (reply.type === 'batch') request?.resolve(reply.batch);
        else request?.reject(revive(reply.error));
      }
    });
  });
}

function revive({ name, message }: { name: string; message: string }): Error {
  if (name === 'DataError') return new DataError(message);
  return name === 'RangeError' ? new RangeError(message) : new Error(message);
}
