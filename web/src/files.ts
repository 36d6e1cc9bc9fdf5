import type { RgbaImage } from '../../src/eval/overlay.ts';

/** The files of a trained model, and what their names end with. */
export const CHECKPOINT_PARTS = [
  { file: 'model.safetensors', ending: '.safetensors' },
  { file: 'config.json', ending: '.json' },
  { file: 'vocab.txt', ending: '.txt' },
] as const;

/** Whether a file is a part of a checkpoint, by its name. */
export function isCheckpointPart({ name }: { readonly name: string }): boolean {
  return CHECKPOINT_PARTS.some(({ ending }) => name.toLowerCase().endsWith(ending));
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

export function saveJson(value: unknown, phrase: string): void {
  save(new Blob([`${JSON.stringify(value)}\n`], { type: 'application/json' }), fileName(phrase, '.json'));
}
