/** Writing one shard: the pixels first, in a stream, then the list that makes it whole. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { writeFileAtomic } from '../../io/atomic.node.ts';
import type { GroundedPhrase, Study } from '../types.ts';
import { type DroppedLine, type ImageLine, linesFile, type ShardHeader, shardFile } from './format.ts';
import { type ShardLines, sha256Of, writeLines } from './lines.node.ts';
import type { PackedStudy, PackJob } from './pack.node.ts';
import type { Packers } from './packers.node.ts';
import { checksum } from './pixels.node.ts';

export interface ShardOptions {
  readonly folder: string;
  readonly shard: number;
  readonly jobs: readonly PackJob[];
  readonly studies: ReadonlyMap<string, Study>;
  /** All phrases of the source; jobs name places among them. */
  readonly phrases: readonly GroundedPhrase[];
  readonly packers: Packers;
  readonly signal?: AbortSignal;
  /** May throw, which ends the writing. */
  readonly onDropped: (line: DroppedLine) => void;
  readonly onImage: () => void;
}

/** Neither file appears under its name before it is complete. Throws what the signal or `onDropped` throws. */
export async function writeShard(options: ShardOptions): Promise<ShardLines> {
  const { folder, shard, jobs, studies, packers, signal, onDropped, onImage } = options;
  const images: ImageLine[] = [];
  const dropped: DroppedLine[] = [];
  const hash = createHash('sha256');
  let bytes = 0;
  let stopped: { readonly error: unknown } | undefined;

  const drop = (line: DroppedLine): void => {
    dropped.push(line);
    onDropped(line);
  };
  const place = (part: Uint8Array): { offset: number; sum: number } => {
    const offset = bytes;
    bytes += part.length;
    hash.update(part);
    return { offset, sum: checksum(part) };
  };
  const add = (job: PackJob, { image, masks }: PackedStudy): Uint8Array[] => {
    const { width, height } = image;
    const parts = [image.bytes];
    const own = place(image.bytes);
    const phrases = job.phrases.flatMap((n, i): NonNullable<ImageLine['phrases']> => {
      const phrase = options.phrases[n];
      const mask = masks[i];
      if (!phrase || !mask) return [];
      if ('reason' in mask) {
        drop({ dropped: job.id, phrase: phrase.phrase, reason: mask.reason });
        return [];
      }
      parts.push(mask.bytes);
      const { sentence, category, attributes } = phrase;
      const said = sentence === undefined ? {} : { sentence };
      const region = { ...place(mask.bytes), bytes: mask.bytes.length, width: mask.width, height: mask.height };
      return [{ n, phrase: phrase.phrase, ...said, category, attributes: { ...attributes }, mask: region }];
    });
    const study = studies.get(job.id);
    images.push({
      id: job.id,
      ...(study ? { study: { patientId: study.patientId, split: study.split, report: study.report } } : {}),
      ...{ ...own, width, height },
      ...(phrases.length > 0 ? { phrases } : {}),
    });
    return parts;
  };
  async function* content(): AsyncGenerator<Uint8Array> {
    let at = 0;
    try {
      for await (const result of packers.pack(jobs)) {
        signal?.throwIfAborted();
        const job = jobs[at++];
        if (!job) return;
        if ('reason' in result) drop({ dropped: job.id, reason: result.reason });
        else yield* add(job, result);
        onImage();
      }
    } catch (error) {
      stopped = { error };
      throw error;
    }
  }
  try {
    await writeFileAtomic(join(folder, shardFile(shard)), content());
  } catch (error) {
    // What ended the writing on purpose is no trouble of the disk.
    throw stopped ? stopped.error : error;
  }
  const phrases = images.reduce((sum, line) => sum + (line.phrases?.length ?? 0), 0);
  const header: ShardHeader = {
    shard,
    bytes,
    sha256: hash.digest('hex'),
    images: images.length,
    phrases,
    dropped: dropped.length,
  };
  const text = Buffer.from(writeLines(header, images, dropped));
  await writeFileAtomic(join(folder, linesFile(shard)), text);
  return { header, images, dropped, file: { bytes: text.length, sha256: sha256Of(text) } };
}
