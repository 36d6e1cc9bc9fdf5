/** What a worker does for one image: load, scale, and pack its pixels and the masks of its phrases. */
import type { DatasetSpec } from '../open.node.ts';
import type { Dataset, Mask } from '../types.ts';
import { type PackedImage, packImage, packMask } from './pixels.node.ts';

export interface PackSettings {
  readonly size: number;
  readonly depth: 8 | 16;
}

export interface PackJob {
  readonly id: string;
  /** Places in `dataset.phrases`. */
  readonly phrases: readonly number[];
}

export interface Failed {
  readonly reason: string;
}

export interface PackedStudy {
  readonly image: PackedImage;
  /** In the order of the job's phrases. */
  readonly masks: readonly (PackedImage | Failed)[];
}

export interface PackWorkerInput extends PackSettings {
  readonly source: DatasetSpec;
}
export interface PackRequest {
  readonly number: number;
  readonly job: PackJob;
}
export type PackReply =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'packed'; readonly number: number; readonly result: PackedStudy | Failed };

/** Never throws for bad data: an image or a mask that cannot be used is returned as the reason why. */
export async function packStudy(
  dataset: Dataset,
  job: PackJob,
  { size, depth }: PackSettings,
): Promise<PackedStudy | Failed> {
  try {
    const source = await dataset.loadImage(job.id);
    const masks: (PackedImage | Failed)[] = [];
    for (const n of job.phrases) {
      masks.push(await tryPackMask(dataset, n, source));
    }
    return { image: packImage(source, size, depth), masks };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

async function tryPackMask(
  dataset: Dataset,
  n: number,
  image: { readonly width: number; readonly height: number },
): Promise<PackedImage | Failed> {
  try {
    const mask: Mask | undefined = await dataset.phrases[n]?.loadMask();
    if (!mask) return { reason: 'the source has no such phrase any more' };
    if (
      Math.abs(mask.width * image.height - mask.height * image.width) >
      Math.max(mask.width + mask.height, image.width + image.height)
    ) {
      return {
        reason: `the mask (${mask.width}x${mask.height}) has other proportions than its image (${image.width}x${image.height})`,
      };
    }
    return { width: mask.width, height: mask.height, bytes: packMask(mask) };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
