import type { RgbaImage } from '../../src/eval/overlay.ts';

/** What the names of weight files end with. */
export const WEIGHT_ENDINGS = ['.safetensors', '.pt', '.pth', '.bin', '.ckpt'] as const;

/** What the names of the files of a model end with: weights, configuration and vocabulary, or a zip of them. */
export const MODEL_ENDINGS = [...WEIGHT_ENDINGS, '.json', '.txt', '.zip'] as const;

export function endsWithAny(name: string, endings: readonly string[]): boolean {
  return endings.some((ending) => name.toLowerCase().endsWith(ending));
}

/** Whether a file may be a part of a model, by its name. */
export function isCheckpointPart({ name }: { readonly name: string }): boolean {
  return endsWithAny(name, MODEL_ENDINGS);
}

function fileName(phrase: string, ending: string): string {
  const stem = phrase
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60);
  return `${stem || 'phrase'}${ending}`;
}

/** Hands a file to the browser's downloads. */
export function save(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The download has begun by then, and keeps the data itself.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Pixels as a PNG file. */
export async function pngOf({ data, width, height }: RgbaImage): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')?.putImageData(new ImageData(data, width, height), 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
  if (!blob) throw new Error('The browser could not make a PNG file of this picture.');
  return blob;
}

export async function savePicture(picture: RgbaImage, phrase: string): Promise<void> {
  save(await pngOf(picture), fileName(phrase, '.png'));
}

/** @param json the text of the file. */
export function saveJsonText(json: string, name: string): void {
  save(new Blob([json], { type: 'application/json' }), name);
}

export function saveJson(value: unknown, phrase: string): void {
  saveJsonText(`${JSON.stringify(value)}\n`, fileName(phrase, '.json'));
}
