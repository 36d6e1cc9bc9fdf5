/** Training batches as a pure function of (data set, options, epoch, step). Runs in Node, in workers and in browsers. */
import { type AugmentOptions, augment } from './augment.ts';
import { dropEmptyReports } from './empty-reports.ts';
import { DataError } from './errors.ts';
import { preprocess } from './preprocess.ts';
import { createRandom } from './random.ts';
import { type EncodedText, encodeReport, normalizeReport } from './text/encode.ts';
import type { SplitterName } from './text/sentences.ts';
import type { WordPieceTokenizer } from './text/tokenizer.ts';
import type { Batch, Dataset, DroppedStudy, GrayImage, Split, Study } from './types.ts';

/** Plain data, so that it can be sent to a worker and stored in a checkpoint. */
export interface BatchOptions {
  readonly split: Split;
  readonly batchSize: number;
  /** Width and height of the model's input in pixels. */
  readonly imageSize: number;
  /** Tokens per report; every batch is padded to it, so that shapes don't change between steps. Default 128. */
  readonly maxTokens?: number;
  readonly maxSentences?: number;
  readonly seed: number;
  /** False (the default) for evaluation. */
  readonly augment?: AugmentOptions | false;
  /** Training: probability to keep each sentence, which also shuffles them. Absent: all, in their order. */
  readonly keepSentences?: number;
  readonly splitter?: SplitterName;
  /** Default true. False takes the studies in the order of the data set. */
  readonly shuffle?: boolean;
  /** Bound of the cache of decoded images in MiB. Default 256. */
  readonly cacheMegabytes?: number;
}

/** Batches of a dataset, epoch by epoch. Made by `createBatchSource`. */
export interface BatchSource {
  /** Whole batches in the split; the rest of an epoch is dropped. */
  readonly stepsPerEpoch: number;
  /** Number of usable studies in the split. */
  readonly studies: number;
  readonly dropped: readonly DroppedStudy[];
  /** Step counts from 0 within the epoch. Throws RangeError outside of `[0, stepsPerEpoch)`. */
  batch(epoch: number, step: number): Promise<Batch>;
}

/**
 * Reports whose tokens are kept, at a few KiB each; beyond them, reading a report again costs far less than its image.
 * A worker of a corpus of 200,000 reports would fill a gigabyte otherwise.
 */
const MAX_PREPARED_TEXTS = 20_000;

/**
 * The order of an epoch derives from (seed, epoch) alone and the augmentation of a study from (seed, epoch, study), so
 * any batch can be made again from its epoch and step. Throws DataError when the split has less than one batch.
 */
export function createBatchSource(dataset: Dataset, tokenizer: WordPieceTokenizer, options: BatchOptions): BatchSource {
  const { batchSize, split, imageSize } = options;
  const usable = dropEmptyReports(dataset, options.splitter);
  const studies = usable.studies.filter((study) => study.split === split);
  const stepsPerEpoch = Math.floor(studies.length / batchSize);
  if (stepsPerEpoch < 1) {
    throw new DataError(
      `${dataset.name}: the ${split} split has ${studies.length} usable studies, fewer than one batch of ${batchSize}. ` +
        'Use a smaller batch size or more data.',
    );
  }
  const root = createRandom(options.seed);
  const loadFrame = cacheFrames(dataset, options);
  const prepared = new Map<string, { key: string; encoded: EncodedText | undefined }>();

  const orderOf = (epoch: number): readonly number[] => {
    const order = Array.from(studies.keys());
    return options.shuffle === false ? order : root.fork('order').fork(epoch).shuffle(order);
  };
  let current: { epoch: number; order: readonly number[] } | undefined;

  const encode = (study: Study, epoch: number): { key: string; encoded: EncodedText } => {
    const known = prepared.get(study.id);
    const key = known?.key ?? normalizeReport(study.report);
    const { keepSentences: keep } = options;
    const random = keep === undefined ? undefined : root.fork('sentences').fork(epoch).fork(study.id);
    const encoded =
      known?.encoded ??
      encodeReport(study.report, tokenizer, {
        maxTokens: options.maxTokens ?? 128,
        ...(options.maxSentences === undefined ? {} : { maxSentences: options.maxSentences }),
        ...(options.splitter === undefined ? {} : { splitter: options.splitter }),
        ...(random && keep !== undefined ? { sampleSentences: { random, keep } } : {}),
      });
    if (!known && prepared.size < MAX_PREPARED_TEXTS)
      prepared.set(study.id, { key, encoded: keep === undefined ? encoded : undefined });
    return { key, encoded };
  };

  const image = async (study: Study, epoch: number): Promise<GrayImage> => {
    const frame = await loadFrame(study.id);
    if (!options.augment) return frame;
    return augment(frame, imageSize, root.fork('augment').fork(epoch).fork(study.id), options.augment);
  };

  return {
    stepsPerEpoch,
    studies: studies.length,
    dropped: usable.dropped ?? [],
    async batch(epoch, step) {
      if (!Number.isInteger(step) || step < 0 || step >= stepsPerEpoch) {
        throw new RangeError(`Step ${step} does not exist: an epoch has the steps 0 to ${stepsPerEpoch - 1}.`);
      }
      if (current?.epoch !== epoch) current = { epoch, order: orderOf(epoch) };
      const chosen = current.order.slice(step * batchSize, (step + 1) * batchSize).map((i) => studies[i] as Study);
      const images = await Promise.all(chosen.map((study) => image(study, epoch)));
      const texts = chosen.map((study) => encode(study, epoch));
      return assemble(chosen, images, texts, tokenizer.padId, options);
    },
  };
}

function assemble(
  studies: readonly Study[],
  images: readonly GrayImage[],
  texts: readonly { key: string; encoded: EncodedText }[],
  padId: number,
  { imageSize, maxTokens = 128 }: BatchOptions,
): Batch {
  const count = studies.length;
  const pixels = imageSize * imageSize;
  const batch = {
    images: new Float32Array(count * pixels),
    inputIds: new Int32Array(count * maxTokens).fill(padId),
    attentionMask: new Int32Array(count * maxTokens),
    sentenceIds: new Int32Array(count * maxTokens).fill(-1),
    wordIds: new Int32Array(count * maxTokens).fill(-1),
    reportKeys: new Int32Array(count),
  };
  const firstWithKey = new Map<string, number>();
  let maxSentences = 0;
  let maxWords = 0;
  texts.forEach(({ key, encoded }, b) => {
    const source = images[b]?.data ?? [];
    for (let i = 0; i < pixels; i++) batch.images[b * pixels + i] = ((source[i] ?? 0) - 0.5) / 0.5;
    batch.inputIds.set(encoded.ids, b * maxTokens);
    batch.attentionMask.fill(1, b * maxTokens, b * maxTokens + encoded.ids.length);
    batch.sentenceIds.set(encoded.sentenceIds, b * maxTokens);
    batch.wordIds.set(encoded.wordIds, b * maxTokens);
    if (!firstWithKey.has(key)) firstWithKey.set(key, b);
    batch.reportKeys[b] = firstWithKey.get(key) ?? b;
    maxSentences = Math.max(maxSentences, encoded.sentences.length);
    maxWords = Math.max(maxWords, encoded.words);
  });
  return { ...batch, studyIds: studies.map(({ id }) => id), imageSize, tokens: maxTokens, maxSentences, maxWords };
}

/** Decoding costs more than anything else here, so frames are kept until the bound is reached; then the rest is decoded anew. */
function cacheFrames(dataset: Dataset, options: BatchOptions): (studyId: string) => Promise<GrayImage> {
  const ratio = options.augment ? options.augment.resizeRatio : 1;
  const frameSize = Math.round(options.imageSize * ratio);
  const limit = Math.floor(((options.cacheMegabytes ?? 256) * 2 ** 20) / (4 * frameSize * frameSize));
  const frames = new Map<string, GrayImage>();
  return async (studyId) => {
    const cached = frames.get(studyId);
    if (cached) return cached;
    const frame = preprocess(await dataset.loadImage(studyId), frameSize).image;
    if (frames.size < limit) frames.set(studyId, frame);
    return frame;
  };
}
