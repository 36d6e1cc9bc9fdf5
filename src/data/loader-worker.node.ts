/** The thread behind `createBatchLoader`: opens the data set once and answers requests for batches in order. */
import { parentPort, workerData } from 'node:worker_threads';
import { type BatchOptions, type BatchSource, createBatchSource } from './batches.ts';
import { type DatasetSpec, openDataset } from './open.node.ts';
import { createTokenizer, type TokenizerSpec } from './text/tokenizer.ts';
import type { Batch } from './types.ts';

export interface WorkerInput {
  readonly dataset: DatasetSpec;
  readonly tokenizer: TokenizerSpec;
  readonly batch: BatchOptions;
}

export interface WorkerRequest {
  readonly id: number;
  readonly epoch: number;
  readonly step: number;
}

interface PlainError {
  readonly name: string;
  readonly message: string;
}

export type WorkerReply =
  | { readonly type: 'ready'; readonly summary: Omit<BatchSource, 'batch'> }
  | { readonly type: 'failed'; readonly error: PlainError }
  | { readonly type: 'batch'; readonly id: number; readonly batch: Batch }
  | { readonly type: 'error'; readonly id: number; readonly error: PlainError };

const port = parentPort;
if (port) await serve(port, workerData as WorkerInput);

async function serve(port: NonNullable<typeof parentPort>, input: WorkerInput): Promise<void> {
  const reply = (message: WorkerReply, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  let source: BatchSource;
  try {
    source = createBatchSource(await openDataset(input.dataset), createTokenizer(input.tokenizer), input.batch);
  } catch (error) {
    reply({ type: 'failed', error: plain(error) });
    return;
  }
  // One after the other: batches asked for first are needed first.
  let queue: Promise<void> = Promise.resolve();
  port.on('message', ({ id, epoch, step }: WorkerRequest) => {
    queue = queue.then(async () => {
      try {
        const batch = await source.batch(epoch, step);
        reply({ type: 'batch', id, batch }, buffersOf(batch));
      } catch (error) {
        reply({ type: 'error', id, error: plain(error) });
      }
    });
  });
  const { stepsPerEpoch, studies, dropped } = source;
  reply({ type: 'ready', summary: { stepsPerEpoch, studies, dropped } });
}

function buffersOf(batch: Batch): ArrayBuffer[] {
  const { images, inputIds, attentionMask, sentenceIds, wordIds, reportKeys } = batch;
  return [images, inputIds, attentionMask, sentenceIds, wordIds, reportKeys].flatMap(({ buffer }) =>
    buffer instanceof ArrayBuffer ? [buffer] : [],
  );
}

function plain(error: unknown): PlainError {
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: 'Error', message: String(error) };
}
