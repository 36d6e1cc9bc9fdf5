import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBatchLoader } from '../../src/data/loader.node.ts';
import { openDataset } from '../../src/data/open.node.ts';
import { phantomDataset } from '../../src/data/phantom/dataset.ts';
import { phantomVocabulary } from '../../src/data/phantom/vocabulary.ts';
import { writeMimicLayout } from '../../src/data/phantom/writeMimic.node.ts';
import { maskToBox } from '../../src/data/regions.ts';
import { parseDataFlag } from '../../src/data/spec.node.ts';
import { selectReportText } from '../../src/data/text/sections.ts';
import { temporaryFolder } from '../support/tinyRun.ts';

const main = resolve(import.meta.dirname, '../../src/cli/main.ts');

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', main, 'index', ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('phantoms in the layout of MIMIC-CXR-JPG', () => {
  const phantoms = phantomDataset({ seed: 4, count: 12, size: 48 });
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'groundray-index-'));
    await writeMimicLayout(phantoms, { folder });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are indexed by the command, which prints what it found and lists what it left out', async () => {
    const out = join(folder, 'index.jsonl');
    const { status, stdout, stderr } = run('mimic-cxr-jpg', '--root', folder, '--out', out, '--min-words', '12');
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/Found 12 images \(12 frontal, 0 lateral, 0 of unknown view\), kept \d+: \d+ training/);
    expect(stdout).toMatch(/Research use only, not for diagnosis\./);
    const { studies } = await openDataset({ kind: 'index', path: out });
    const dropped = readFileSync(join(folder, 'index.dropped.csv'), 'utf8').trim().split('\n');
    expect(studies.length + dropped.length - 1).toBe(12);
  });

  it('have the reports and splits of the phantoms', async () => {
    const { studies } = await openDataset(parseDataFlag(`mimic-cxr-jpg:${folder}`));
    const words = (text: string): string => selectReportText(text).replace(/\s+/g, ' ').trim();
    const plain = (list: readonly { split: string; report: string }[]) =>
      list.map(({ split, report }) => `${split}: ${words(report)}`).sort();
    expect(plain(studies)).toEqual(plain(phantoms.studies));
  });

  it('have the boxes of the phantoms as MS-CXR', async () => {
    const { phrases } = await openDataset(parseDataFlag(`ms-cxr:${folder}`));
    const boxes = async (list: typeof phrases) => {
      const texts = await Promise.all(
        list.map(
          async ({ phrase, category, loadMask }) =>
            `${phrase} ${category} ${JSON.stringify(maskToBox(await loadMask()))}`,
        ),
      );
      return texts.sort();
    };
    expect(await boxes(phrases)).toEqual(await boxes(phantoms.phrases));
  });

  it('are opened again by the threads that make batches', async () => {
    const dataset = parseDataFlag(`mimic-cxr-jpg:${folder}`);
    const batch = { split: 'train', batchSize: 2, imageSize: 32, maxTokens: 32, seed: 0 } as const;
    const loader = await createBatchLoader({
      ...batch,
      dataset,
      tokenizer: { vocabulary: phantomVocabulary(), lowerCase: true },
      workers: 1,
    });
    try {
      expect(loader.workers, loader.notice ?? '').toBe(1);
      expect((await loader.batch(0, 0)).images.length).toBe(2 * 32 * 32);
    } finally {
      await loader.close();
    }
  });
});

it('ends with one sentence and exit code 1 for a corpus that is not there, and writes nothing', () => {
  const folder = temporaryFolder();
  const out = join(folder, 'index.jsonl');
  writeFileSync(join(folder, 'stage_2_train_labels.csv'), 'patientId,x,y,width,height,Target\na,1,2,3,four,1\n');
  const { status, stderr } = run('rsna', '--root', folder, '--out', out);
  expect([status, stderr]).toEqual([
    1,
    'stage_2_train_labels.csv row 2, column "height": expected a number of pixels or nothing, found "four".\n',
  ]);
  expect(existsSync(out)).toBe(false);
  expect(existsSync(join(folder, 'index.dropped.csv'))).toBe(false);
});
