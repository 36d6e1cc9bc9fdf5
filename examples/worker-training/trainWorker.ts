/** Trains on synthetic radiographs away from the page's thread: drawing, reading and uploading all happen here. */
import { createGpu, describeAdapter } from 'groundray';
import { createBatchSource, createTokenizer, phantomDataset, phantomVocabulary } from 'groundray/data';
import { presets, type RunConfig, Trainer } from 'groundray/train';
import type { Point, Reply, Request } from './messages.ts';

const worker = globalThis as unknown as {
  onmessage: (event: MessageEvent<Request>) => void;
  postMessage(reply: Reply): void;
};

let isPaused = false;
let isStopped = false;
/** Whether the page has shown what it was last told. */
let isShown = true;
let wake: () => void = () => undefined;
let untold: Point[] = [];
let toldAt = performance.now();

/** Back-pressure towards the page: points wait here until it has shown those before. */
function tell(batchSize: number): void {
  if (!isShown || untold.length === 0) return;
  const now = performance.now();
  const imagesPerSecond = (1000 * batchSize * untold.length) / Math.max(1, now - toldAt);
  worker.postMessage({ kind: 'progress', points: untold, imagesPerSecond });
  [untold, toldAt, isShown] = [[], now, false];
}

function configOf(
  preset: RunConfig,
  vocabulary: number,
  { steps, batchSize, seed }: Extract<Request, { kind: 'start' }>,
): RunConfig {
  return { ...preset, steps, batchSize, seed, model: { ...preset.model, text: { ...preset.model.text, vocabulary } } };
}

async function train(request: Extract<Request, { kind: 'start' }>): Promise<void> {
  const preset = presets['phantom-mini'];
  if (preset?.data.kind !== 'phantom') throw new Error('The preset phantom-mini trains on phantoms.');
  const { data } = preset;
  const vocabulary = phantomVocabulary();
  const config = configOf(preset, vocabulary.length, request);
  const { steps, batchSize, seed } = request;
  const gpu = await createGpu();
  try {
    const tokenizer = createTokenizer({ vocabulary, lowerCase: config.lowerCase });
    const { imageSize, maxTokens, augment } = config;
    const batches = createBatchSource(phantomDataset({ ...data, count: 1000 }), tokenizer, {
      split: 'train',
      batchSize,
      imageSize,
      maxTokens,
      augment,
      seed,
    });
    const trainer = new Trainer(gpu, config, steps, batches.stepsPerEpoch);
    worker.postMessage({
      kind: 'ready',
      adapter: describeAdapter(gpu.adapter),
      parameters: trainer.arena.parameterCount,
    });
    toldAt = performance.now();
    let [step, failure]: [number, unknown] = [0, undefined];
    /** The last step, until the page may be told of it; those before are done by then. */
    let underWay: Promise<void> = Promise.resolve();
    while (step < steps && !isStopped && failure === undefined) {
      const batch = await batches.batch(Math.floor(step / batches.stepsPerEpoch), step % batches.stepsPerEpoch);
      const done = ++step;
      underWay = trainer
        .step(batch, done - 1)
        .then(({ total, accuracy }) => {
          untold.push({ step: done, loss: total, accuracy });
          tell(batchSize);
        })
        .catch((error: unknown) => {
          failure = error;
        });
      // Back-pressure from the GPU: no more than two steps are under way.
      await gpu.flush();
      if (isPaused && !isStopped) {
        await underWay;
        worker.postMessage({ kind: 'paused', step });
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        toldAt = performance.now();
      }
    }
    await underWay;
    if (failure !== undefined) throw failure;
    trainer.dispose();
    isShown = true;
    tell(batchSize);
    worker.postMessage({ kind: 'ended', step, stopped: isStopped });
  } finally {
    gpu.dispose();
  }
}

worker.onmessage = ({ data: request }) => {
  switch (request.kind) {
    case 'start':
      train(request).catch((error: unknown) => {
        worker.postMessage({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
      });
      break;
    case 'shown':
      isShown = true;
      break;
    case 'stop':
      isStopped = true;
      wake();
      break;
    default:
      isPaused = request.kind === 'pause';
      if (!isPaused) wake();
  }
};
