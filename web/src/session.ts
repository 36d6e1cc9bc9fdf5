import { proxy } from 'comlink';
import { samePhrase } from '../../src/data/annotations/annotation.ts';
import { DataError } from '../../src/data/errors.ts';
import { wordsOf } from '../../src/data/text/phraseWords.ts';
import { GpuError } from '../../src/gpu/errors.ts';
import { isCheckpointPart } from './files.ts';
import { type OpenedImage, openSample, SAMPLES } from './images.ts';
import { keepForOffline } from './offline.ts';
import { zonePeaks } from './ranking.ts';
import {
  announcement,
  type Card,
  cards,
  device,
  dicomWindow,
  type FoundSentences,
  foundSentences,
  model,
  newCard,
  notice,
  opened,
  phase,
  problem,
} from './state.ts';
import type { CheckpointFiles } from './worker/checkpoint.ts';
import type { ModelSource } from './worker/modelSource.ts';
import type { Model } from './worker/service.ts';
import { benchmark, broken, engine, training } from './workers.ts';

/** Relative to the page; a worker's own addresses are relative to its script. */
const shippedCheckpoint = new URL('./phantom-mini/', document.baseURI).href;

/** A device that is lost more often than this within a minute is not asked for again until a person says so. */
const mostRecoveries = 3;
const recoveries: number[] = [];

let tail: Promise<unknown> = Promise.resolve();

/** The engine does one thing at a time, and so does whatever else keeps a device busy for a moment. */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = tail.then(work);
  tail = result.catch(() => undefined);
  return result;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Does what a person asked for; if it fails, says why and leaves everything else as it was. */
export async function attempt(work: () => Promise<void>): Promise<void> {
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
    await Promise.race([broken, engine.whenLost(proxy((reason: string) => void recover(reason)))]);
    await useModel(() => engine.openShipped(shippedCheckpoint));
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
    await engine.loadDecoders();
    await Promise.race([broken, Promise.all([training.load(), benchmark.load()])]);
    await keepForOffline();
  });
  document.documentElement.dataset.loaded = 'true';
}

function stop(error: unknown): void {
  phase.value = { kind: 'stopped', message: messageOf(error), again: Boolean(navigator.gpu) };
}

/** Looks with another model from now on; the one before stays if it cannot be opened. */
function useModel(open: () => Promise<Model>): Promise<void> {
  return inTurn(async () => {
    model.value = await open();
    foundSentences.value = undefined;
    if (opened.value) await engine.setImage(opened.value.image);
  });
}

async function useImage(next: OpenedImage): Promise<void> {
  await engine.setImage(next.image);
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
  const image = opened.value;
  if (!model.value || !image) return start();
  try {
    await inTurn(async () => {
      await engine.restart();
      await engine.setImage(image.image);
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
    const [image, used] = [opened.value, model.value];
    if (!image || !used || card.text.value.trim() !== phrase) return;
    try {
      const { localization, note } = await engine.find(phrase);
      // The text may have been emptied meanwhile.
      if (wordsOf(card.text.value).length === 0) return;
      card.note.value = note;
      device.value = await engine.report();
      card.answer.value = { phrase, opened: image, model: used, localization, milliseconds: performance.now() - begin };
    } catch (error) {
      // What waits for a lost device may fail before the loss is known. `recover` asks again.
      if (await engine.isLost()) return;
      card.answer.value = undefined;
      card.note.value = messageOf(error);
    }
  });
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
      const [image, used] = [opened.value, model.value];
      if (!image || !used) return;
      const rows: FoundSentences['rows'][number][] = [];
      for (const sentence of sentences) {
        const { localization } = await engine.find(sentence);
        rows.push({ sentence, peaks: zonePeaks(localization, image.image, used.config.sigma) });
      }
      foundSentences.value = { opened: image, rows };
      announcement.value = `Found ${rows.length} sentences; a table shows where.`;
    }),
  );
}

/** Work for the engine, in turn with all else; done again where the device was lost meanwhile. */
export async function withEngine<T>(work: () => Promise<T>): Promise<T> {
  const result = await inTurn(work);
  if (!(await engine.isLost())) return result;
  while (await engine.isLost()) {
    if (phase.value.kind === 'stopped') throw new GpuError('The GPU was lost.');
    await new Promise((done) => setTimeout(done, 100));
  }
  return inTurn(work);
}

export function removePhrase(card: Card): void {
  cards.value = cards.value.filter(({ id }) => id !== card.id);
}

export function chooseSample(index: number): Promise<void> {
  return attempt(async () => {
    const sample = openSample(index);
    const [card] = cards.value;
    const [known] = sample.known;
    const before = opened.value?.known ?? [];
    await inTurn(() => useImage(sample));
    // A phrase of the sample before is of no use here; one that a person typed, even meanwhile, stays.
    const isOfSample = card && before.some(({ phrase }) => samePhrase(phrase, card.text.value));
    if (known && isOfSample) card.text.value = known.phrase;
    await answerAll();
    announcement.value = `Opened ${sample.name}.`;
  });
}

/** Looks with a model that was trained in the page from now on, at the same image and phrases. */
export function adoptTrained(name: string, files: CheckpointFiles): Promise<void> {
  return attempt(() => adopt(() => engine.open({ name, run: files })));
}

/** Where the opened model comes from. */
export function modelSource(): Promise<ModelSource> {
  return inTurn(async () => engine.opened());
}

async function adopt(open: () => Promise<Model>): Promise<void> {
  if (phase.value.kind === 'ready') phase.value = { kind: 'busy', what: 'Opening the model' };
  try {
    await useModel(open);
  } finally {
    if (phase.value.kind === 'busy') phase.value = { kind: 'ready' };
  }
  announcement.value = `Opened the model ${model.value?.name}.`;
  await answerAll();
}

/** Opens an image, or the files of a model. */
export function openFiles(files: readonly File[]): Promise<void> {
  return attempt(async () => {
    const [first, ...others] = files;
    if (!first) return;
    if (files.some(isCheckpointPart)) return adopt(() => engine.open({ given: files }));
    if (others.length > 0) {
      throw new DataError(`${files.length} files were given; open one image at a time, or those of a model.`);
    }
    const image = await engine.openImage(first);
    await inTurn(() => useImage(image));
    announcement.value = `Opened ${image.name}, ${image.image.width} by ${image.image.height} pixels.`;
    await answerAll();
  });
}
