/** From stored samples to what is shown: modality transform, values of interest, photometric inversion (DICOM PS3.3, C.11). */
import type { GrayImage } from '../../data/types.ts';

/** VOI LUT Function (0028,1056); equations in PS3.3, C.11.2.1.2 and C.11.2.1.3. */
export type VoiFunction = 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';

/** Window of values, in units after the modality transform. */
export interface VoiWindow {
  readonly center: number;
  readonly width: number;
  readonly function: VoiFunction;
  readonly explanation?: string;
}

/** A lookup table of the modality or VOI LUT sequence. Values below (above) the table take its first (last) entry. */
export interface LookupTable {
  readonly first: number;
  readonly bits: number;
  readonly data: Uint16Array;
  readonly explanation?: string;
}

export type StoredSamples = Uint8Array | Uint16Array | Int16Array | Float32Array;

/** A decoded image before any choice of window. */
export interface StoredImage {
  readonly width: number;
  readonly height: number;
  /** `[height, width]` stored values, bits above Bits Stored cleared and signs extended. Luma where the file has colours. */
  readonly samples: StoredSamples;
  readonly bitsStored: number;
  readonly colour: boolean;
  /** MONOCHROME1: the smallest value is white. */
  readonly inverted: boolean;
  readonly modality: { readonly slope: number; readonly intercept: number } | LookupTable;
  readonly windows: readonly VoiWindow[];
  readonly voiTables: readonly LookupTable[];
  /** Stored values (both included) that mark pixels without a measurement; they don't count towards the full range. */
  readonly padding?: readonly [low: number, high: number];
}

/** What to show: a window of the caller's, one of the file's, or everything from the smallest to the largest value. */
export type VoiChoice =
  | VoiWindow
  | { readonly window: number }
  | { readonly table: number }
  | { readonly range: 'full' };

/** The choice for files that say something: first VOI LUT, else first window, else the full range. */
export function defaultVoi({ voiTables, windows, colour }: StoredImage): VoiChoice {
  if (colour) return { range: 'full' };
  if (voiTables.length > 0) return { table: 0 };
  return windows.length > 0 ? { window: 0 } : { range: 'full' };
}

/**
 * Grey values as shown: modality transform, then the values of interest, then MONOCHROME1 inverted. Cheap beside
 * decoding, so that a page can call it again while a window is dragged.
 *
 * @throws RangeError for a window or table that the image does not have, or a window without width.
 */
export function renderStored(image: StoredImage, choice: VoiChoice = defaultVoi(image)): GrayImage {
  const { width, height, samples, inverted } = image;
  const modality = modalityOf(image);
  const voi = voiOf(image, choice, modality);
  const shown = (stored: number): number => {
    const value = voi(modality(stored));
    return inverted ? 1 - value : value;
  };
  const data = new Float32Array(samples.length);
  // Few values occur often: a table of results is faster than their computation, and the same.
  if (samples instanceof Float32Array) {
    for (let i = 0; i < samples.length; i++) data[i] = shown(samples[i] ?? 0);
  } else {
    const offset = samples instanceof Int16Array ? 32768 : 0;
    const table = new Float32Array(samples instanceof Uint8Array ? 256 : 65536).fill(-1);
    for (let i = 0; i < samples.length; i++) {
      const stored = samples[i] ?? 0;
      let value = table[stored + offset] ?? -1;
      if (value < 0) {
        value = Math.fround(shown(stored));
        table[stored + offset] = value;
      }
      data[i] = value;
    }
  }
  return { width, height, data };
}

function modalityOf({ modality }: StoredImage): (stored: number) => number {
  if ('data' in modality) return (stored) => lookUp(modality, stored);
  return (stored) => stored * modality.slope + modality.intercept;
}

function voiOf(image: StoredImage, choice: VoiChoice, modality: (stored: number) => number): (value: number) => number {
  if ('range' in choice) return fullRange(image, modality);
  if ('table' in choice) {
    const table = image.voiTables[choice.table];
    if (!table) throw new RangeError(`The image has ${image.voiTables.length} VOI LUTs, there is no ${choice.table}.`);
    return (value) => Math.min(1, lookUp(table, value) / (2 ** table.bits - 1));
  }
  if (!('window' in choice)) return windowFunction(choice);
  const window = image.windows[choice.window];
  if (!window) throw new RangeError(`The image has ${image.windows.length} windows, there is no ${choice.window}.`);
  return windowFunction(window);
}

/** `x` to [0, 1] by one of the three functions of PS3.3, C.11.2.1. */
export function windowFunction({ center, width, function: name }: VoiWindow): (x: number) => number {
  if (!Number.isFinite(center) || !(width > 0) || !Number.isFinite(width) || (name === 'LINEAR' && width < 1)) {
    const least = name === 'LINEAR' ? 'of 1 or more' : 'above 0';
    throw new RangeError(`A ${name} window needs a finite centre and a width ${least}; found ${center}, ${width}.`);
  }
  if (name === 'SIGMOID') return (x) => 1 / (1 + Math.exp((-4 * (x - center)) / width));
  const [middle, span] = name === 'LINEAR' ? [center - 0.5, width - 1] : [center, width];
  return (x) => {
    if (x <= middle - span / 2) return 0;
    return x > middle + span / 2 ? 1 : (x - middle) / span + 0.5;
  };
}

function fullRange(image: StoredImage, modality: (stored: number) => number): (value: number) => number {
  if (image.colour) return (value) => value / (2 ** image.bitsStored - 1);
  const [low, high] = valueRange(image).map(modality) as [number, number];
  const [least, most] = low <= high ? [low, high] : [high, low];
  return (value) => (most > least ? Math.min(1, Math.max(0, (value - least) / (most - least))) : 0);
}

/** Smallest and largest stored value outside of the padding; of all pixels where everything is padding. */
export function valueRange({ samples, padding }: Pick<StoredImage, 'samples' | 'padding'>): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of samples) {
    if (padding && value >= padding[0] && value <= padding[1]) continue;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return least <= most ? [least, most] : valueRange({ samples });
}

function lookUp({ first, data }: LookupTable, value: number): number {
  const index = Math.min(data.length - 1, Math.max(0, Math.round(value) - first));
  return data[index] ?? 0;
}
