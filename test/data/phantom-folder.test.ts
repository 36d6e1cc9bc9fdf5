import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from '../../src/data/open.node.ts';
import { phantomDataset } from '../../src/data/phantom/dataset.ts';
import { phantomVocabulary } from '../../src/data/phantom/vocabulary.ts';
import { writeDataset } from '../../src/data/phantom/write.node.ts';
import { maskToBox } from '../../src/data/regions.ts';
import { parseVocabulary } from '../../src/data/text/tokenizer.ts';
import type { Dataset } from '../../src/data/types.ts';
import { readImage } from '../../src/io/image.node.ts';

const folder = mkdtempSync(join(tmpdir(), 'groundray-phantom-'));
const original = phantomDataset({ seed: 9, count: 24, size: 48, splits: { train: 1, validation: 1, test: 2 } });
let copy: Dataset;
const calls: number[] = [];

beforeAll(async () => {
  await writeDataset(original, { folder, vocabulary: phantomVocabulary(), onStudy: (done) => calls.push(done) });
  copy = await openDataset({ kind: 'folder', path: folder });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a phantom corpus written to disk', () => {
  it('is read back by the folder reader with the same studies and phrases', async () => {
    expect(copy.studies).toEqual(original.studies);
    expect(copy.dropped).toEqual([]);
    const plain = ({ phrases }: Dataset) => phrases.map(({ loadMask: _, ...rest }) => rest);
    expect(plain(copy)).toEqual(plain(original));
    expect(calls).toEqual(Array.from({ length: 24 }, (_, i) => i + 1));
    expect(parseVocabulary(readFileSync(join(folder, 'vocab.txt'), 'utf8'))).toEqual(phantomVocabulary());
  });

  it('keeps masks exactly and images to 8 bits', async () => {
    for (const [i, phrase] of original.phrases.entries()) {
      expect(await copy.phrases[i]!.loadMask()).toEqual(await phrase.loadMask());
    }
    for (const { id } of original.studies.slice(0, 6)) {
      const [before, after] = [await original.loadImage(id), await copy.loadImage(id)];
      const worst = before.data.reduce((most, value, i) => Math.max(most, Math.abs(value - after.data[i]!)), 0);
      expect(worst).toBeLessThanOrEqual(0.5 / 255 + 1e-6);
    }
  });

  it('has the boxes of its masks in the layout of MS-CXR', async () => {
    interface Coco {
      images: { id: number; path: string; width: number; height: number }[];
      categories: { id: number; name: string }[];
      annotations: { image_id: number; category_id: number; bbox: number[]; label_text: string; width: number }[];
    }
    const coco = JSON.parse(readFileSync(join(folder, 'MS_CXR_Local_Alignment.json'), 'utf8')) as Coco;
    expect(coco.annotations.length).toBe(original.phrases.length);
    for (const [i, annotation] of coco.annotations.entries()) {
      const phrase = original.phrases[i]!;
      const { x, y, width, height } = maskToBox(await phrase.loadMask())!;
      expect(annotation.bbox).toEqual([x, y, width, height]);
      expect(annotation.label_text).toBe(phrase.phrase);
      expect(annotation.width).toBe(48);
      expect(coco.categories.find(({ id }) => id === annotation.category_id)?.name).toBe(phrase.category);
      const image = coco.images.find(({ id }) => id === annotation.image_id)!;
      expect(image.path).toBe(`images/${phrase.studyId}.png`);
    }
  });

  it('has a row per opacity in the layout of RSNA, and an empty one for images without', () => {
    const rows = (file: string) =>
      parse(readFileSync(join(folder, file), 'utf8'), { columns: true }) as Record<string, string>[];
    const labels = rows('stage_2_train_labels.csv');
    const classes = rows('stage_2_detailed_class_info.csv');
    expect(classes.map(({ patientId }) => patientId)).toEqual(labels.map(({ patientId }) => patientId));
    expect(new Set(labels.map(({ patientId }) => patientId)).size).toBe(24);
    for (const { patientId, Target, x } of labels) {
      const opacities = original.phrases.filter(
        ({ studyId, category }) => studyId === patientId && /pneumonia|consolidation|opacity|covid/.test(category),
      );
      expect(Target).toBe(opacities.length > 0 ? '1' : '0');
      expect(x === '').toBe(Target === '0');
    }
    expect(new Set(labels.map(({ Target }) => Target)).size).toBe(2);
  });

  it('has a contact sheet with tinted masks under the images', async () => {
    const sheet = await readImage(join(folder, 'contact-sheet.png'));
    expect([sheet.width, sheet.height]).toEqual([8 * 48, 6 * 48]);
    const first = await original.loadImage(original.studies[0]!.id);
    expect(sheet.data[20 * sheet.width + 24]).toBeCloseTo(first.data[20 * 48 + 24]!, 2);
  });
});
