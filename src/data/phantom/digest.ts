import { hash32, hashString } from '../random.ts';
import type { Dataset } from '../types.ts';

/**
 * A 32-bit digest of the first `count` studies: ids, reports and the exact bits of the pixels. Equal digests on two
 * machines or engines mean that they draw the same corpus.
 */
export async function datasetDigest(dataset: Dataset, count = 8): Promise<number> {
  let digest = 0;
  for (const study of dataset.studies.slice(0, count)) {
    digest = hashString(`${study.id}\n${study.split}\n${study.report}`, digest);
    const { data } = await dataset.loadImage(study.id);
    const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
    for (const word of words) digest = hash32(Math.imul(digest ^ word, 0x01000193));
  }
  return digest;
}
