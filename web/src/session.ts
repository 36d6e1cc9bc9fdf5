import { DataError } from '../../src/data/errors.ts';
import { encodePhrase } from '../../src/data/text/encode.ts';
import { unreadableWords, wordsOf } from '../../src/data/text/phraseWords.ts';
import type { GrayImage } from '../../src/data/types.ts';
import { GpuError } from '../../src/gpu/errors.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { type Checkpoint, fetchCheckpoint, isCheckpointPart, readCheckpoint } from './checkpoint.ts';
import { Engine } from './engine.ts';
import { type OpenedImage, openImage, openSample, pageCodecs, SAMPLES } from './images.ts';
import { keepForOffline } from './offline.ts';
import { samePhrase } from './phrases.ts';
import { zonePeaks } from './ranking.ts';
import {
  announcement,
  type Card,
  cards,
  checkpoint,
  dicomWindow,
  type FoundSentences,
  foundSentences,
  newCard,
  notice,
  opened,
  phase,
  problem,
} from './state.ts';

const shippedCheckpoint = 'phantom-mini';

/** A device that is lost more often than this within a minute is not asked for again until a person says so. */
const mostRecoveries = 3;
const recoveries: number[] = [];

let engine: Engine | undefined;
let tail: Promise<unknown> = Promise.resolve();

/** The engine does one thing at a time. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = tail.then(work);
  tail = result.catch(() => undefined);
  return result;
}

/** The engine in use, for the device panel. */
export function currentEngine(): Engine | undefined {
  return engine;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Does what a person asked for; if it fails, says why and leaves everything else as it was. */
async function attempt(work: () => Promise<void>): Promise<void> {
  problem.value = '';
  notice.value = '';
  try {
    await work();
  } catch (error) {
    problem.value = messageOf(error);
  }
}

/** Loads the model, a sample and its first phrase, and then what is needed later, so that nothing is fetched any more. */
export async function start(): Promise<void> {
  try {
    phase.value = { kind: 'busy', what: 'Loading the model' };
    const loaded = await fetchCheckpoint(shippedCheckpoint);
    phase.value = { kind: 'busy', what: 'Starting the GPU' };
    await inTurn(() => useCheckpoint(loaded));
    const sample = openSample(SAMPLES[0] ?? 0);
    if (cards.value.length === 0) cards.value = [newCard(sample.known[0]?.phrase ?? 'pleural effusion')];
    await inTurn(() => useImage(sample));
    await answerAll();
    phase.value = { kind: 'ready' };
  } catch (error) {
    stop(error);
    return;
  }
  await attempt(async () => {
    await pageCodecs();
    await keepForOffline();
  });
  document.documentElement.dataset.loaded = 'true';
}

function stop(error: unknown): void {
  phase.value = { kind: 'stopped', message: messageOf(error), again: Boolean(navigator.gpu) };
}

async function useCheckpoint(next: Checkpoint): Promise<void> {
  const before = engine;
  const shared = before && !before.gpu.isLost ? before.gpu : undefined;
  const opening = await Engine.open(next, shared);
  if (shared) before?.release();
  else before?.dispose();
  engine = opening;
  foundSentences.value = undefined;
  checkpoint.value = next;
  if (shared) return;
  opening.gpu.onDeviceLost(({ message }) => {
    if (engine?.gpu === opening.gpu) void recover(message);
  });
}

async function useImage(next: OpenedImage): Promise<void> {
  await engine?.setImage(next.image);
  foundSentences.value = undefined;
  dicomWindow.value = undefined;
  opened.value = next;
}

async function answerAll(): Promise<void> {
  await Promise.all(cards.value.map((card) => ask(card)));
}

/** Makes a new device and puts model, image and phrases on it. */
async function recover(reason: string): Promise<void> {
  const now = performance.now();
  recoveries.push(now);
  phase.value = { kind: 'lost', reason };
  const recent = recoveries.filter((time) => now - time < 60_000).length;
  if (recent > mostRecoveries) {
    stop(new GpuError(`The GPU was lost ${recent} times within a minute: ${reason}`));
    return;
  }
  await restart();
}

/** Starts the engine again with what the page holds. */
export async function restart(): Promise<void> {
  const [model, image] = [checkpoint.value, opened.value];
  if (!model || !image) return start();
  try {
    await inTurn(async () => {
      await useCheckpoint(model);
      await engine?.setImage(image.image);
    });
    await answerAll();
    phase.value = { kind: 'ready' };
    notice.value = 'The GPU was lost and was started again. Image and phrases were kept.';
  } catch (error) {
    stop(error);
  }
}

/** Looks for the phrase of a card; what was typed meanwhile is looked for instead. */
export async function ask(card: Card): Promise<void> {
  const begin = performance.now();
  const phrase = card.text.value.trim();
  if (wordsOf(phrase).length === 0) {
    card.answer.value = undefined;
    card.note.value = 'Type what should be found, for example "left pleural effusion".';
    return;
  }
  await inTurn(async () => {
    const [image, model] = [opened.value, checkpoint.value];
    const used = engine;
    if (!used || !image || !model || card.text.value.trim() !== phrase) return;
    card.note.value = noteOn(phrase, model);
    try {
      const localization = await used.find(phrase);
      // The text may have been emptied meanwhile.
      if (wordsOf(card.text.value).length === 0) return;
      card.answer.value = { phrase, opened: image, model, localization, milliseconds: performance.now() - begin };
    } catch (error) {
      // What waits for a lost device may fail before the loss is known. `recover` asks again.
      await new Promise((done) => setTimeout(done));
      if (used.gpu.isLost) return;
      card.answer.value = undefined;
      card.note.value = messageOf(error);
    }
  });
}

/** Words that the model cannot read, and text that it does not see. */
function noteOn(phrase: string, { tokenizer, config }: Checkpoint): string {
  const unknown = unreadableWords(phrase, tokenizer);
  if (unknown.length === wordsOf(phrase).length) {
    return 'The model knows no word of this phrase, so its map says nothing about it.';
  }
  const notes: string[] = [];
  if (unknown.length > 0) notes.push(`The model does not know: ${unknown.join(', ')}.`);
  const whole = encodePhrase(phrase, tokenizer, { maxTokens: 4096 }).ids.length;
  if (whole > config.maxTokens) notes.push('The phrase is too long; the model reads only its beginning.');
  return notes.join(' ');
}

/** Puts a phrase beside the others, unless it is there already. */
export async function addPhrase(text: string): Promise<Card> {
  const known = cards.value.find((card) => card.text.value.trim() === text.trim());
  if (known) return known;
  const card = newCard(text);
  cards.value = [...cards.value, card];
  await ask(card);
  return card;
}

/** Looks for every sentence of a report in the opened image. */
export function findSentences(sentences: readonly string[]): Promise<void> {
  return attempt(() =>
    inTurn(async () => {
      const [image, model] = [opened.value, checkpoint.value];
      if (!engine || !image || !model) return;
      const rows: FoundSentences['rows'][number][] = [];
      for (const sentence of sentences) {
        const localization = await engine.find(sentence);
        rows.push({ sentence, peaks: zonePeaks(localization, image.image, model.config.sigma) });
      }
      foundSentences.value = { opened: image, rows };
      announcement.value = `Found ${rows.length} sentences; a table shows where.`;
    }),
  );
}

/** Looks for phrases in an image that is not the opened one. */
export function findIn(image: GrayImage, phrases: readonly string[]) {
  return inTurn(async () => {
    const model = checkpoint.value;
    if (!engine || !model) throw new GpuError('The model is not ready yet.');
    return { found: await engine.findIn(image, phrases), model };
  });
}

export function removePhrase(card: Card): void {
  cards.value = cards.value.filter(({ id }) => id !== card.id);
}

export function chooseSample(index: number): Promise<void> {
  return attempt(async () => {
    const sample = openSample(index);
    const [card] = cards.value;
    const [known] = sample.known;
    // A phrase of the sample before is of no use here; one that a person typed stays.
    const ofSample = card && opened.value?.known.some(({ phrase }) => samePhrase(phrase, card.text.value));
    await inTurn(() => useImage(sample));
    if (card && known && ofSample) card.text.value = known.phrase;
    await answerAll();
    announcement.value = `Opened ${sample.name}.`;
  });
}

/** Work on the device of the engine, in turn with the engine's own. */
export function withDevice<T>(work: (gpu: Gpu) => Promise<T>): Promise<T> {
  return inTurn(() => {
    if (!engine) throw new GpuError('The GPU is not ready yet.');
    return work(engine.gpu);
  });
}

/** Looks with another model from now on, at the same image and phrases. */
export function adoptCheckpoint(next: Checkpoint): Promise<void> {
  return attempt(async () => {
    await inTurn(async () => {
      await useCheckpoint(next);
      if (opened.value) await engine?.setImage(opened.value.image);
    });
    announcement.value = `Opened the model ${next.name}.`;
    await answerAll();
  });
}

/** Opens an image, or the three files of a checkpoint. */
export function openFiles(files: readonly File[]): Promise<void> {
  return attempt(async () => {
    const [first, ...others] = files;
    if (!first) return;
    if (files.some(isCheckpointPart)) {
      await adoptCheckpoint(await readCheckpoint(files));
    } else {
      if (others.length > 0) {
        throw new DataError(
          `${files.length} files were given; open one image at a time, or the three of a checkpoint.`,
        );
      }
      const image = await openImage(first);
      await inTurn(() => useImage(image));
      announcement.value = `Opened ${image.name}, ${image.image.width} by ${image.image.height} pixels.`;
    }
    await answerAll();
  });
}
