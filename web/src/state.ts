import { type Signal, signal } from '@preact/signals';
import type { Localization } from '../../src/eval/localizer.ts';
import type { RescalePreset } from '../../src/eval/maps.ts';
import type { ColorScale } from '../../src/eval/overlay.ts';
import type { OpenedImage } from './images.ts';
import type { Zone } from './ranking.ts';
import type { DeviceReport, Model } from './worker/service.ts';

/** What the page is doing. */
export type Phase =
  | { readonly kind: 'busy'; readonly what: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'lost'; readonly reason: string }
  /** Nothing works any more; `again` where trying again may help. */
  | { readonly kind: 'stopped'; readonly message: string; readonly again: boolean };

/** Where a phrase was found in an image. */
export interface Answer {
  readonly phrase: string;
  readonly opened: OpenedImage;
  readonly model: Model;
  readonly localization: Localization;
  /** From asking to the result. */
  readonly milliseconds: number;
}

/** One phrase and its heat map. */
export interface Card {
  readonly id: number;
  readonly text: Signal<string>;
  readonly answer: Signal<Answer | undefined>;
  /** What a person should know of the phrase, such as words that the model cannot read. */
  readonly note: Signal<string>;
}

/** The sentences of a report in an image. */
export interface FoundSentences {
  readonly opened: OpenedImage;
  readonly rows: readonly { readonly sentence: string; readonly peaks: Readonly<Record<Zone, number>> }[];
}

let lastId = 0;

export function newCard(text: string): Card {
  lastId += 1;
  return { id: lastId, text: signal(text), answer: signal(undefined), note: signal('') };
}

export const phase = signal<Phase>({ kind: 'busy', what: 'Loading the model' });
export const model = signal<Model | undefined>(undefined);
export const device = signal<DeviceReport | undefined>(undefined);
export const opened = signal<OpenedImage | undefined>(undefined);
export const cards = signal<readonly Card[]>([]);
/** The last thing that a person asked for and that failed. */
export const problem = signal('');
/** What happened without being asked for, and need not be worried about. */
export const notice = signal('');
/** Read out by screen readers when it changes. */
export const announcement = signal('');

export const foundSentences = signal<FoundSentences | undefined>(undefined);
export const rankedZone = signal<Zone | undefined>(undefined);

export const opacity = signal(0.6);
export const threshold = signal(0.3);
export const preset = signal<RescalePreset>('paper-minmax');
export const colors = signal<ColorScale>('viridis');
export const showKnown = signal(false);
/** Window of a DICOM image, in units after the modality transform; undefined = the file's own. */
export const dicomWindow = signal<{ readonly center: number; readonly width: number } | undefined>(undefined);
