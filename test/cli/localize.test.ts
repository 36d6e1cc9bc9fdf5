import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findingLines } from '../../src/cli/localization.ts';
import { unknownWords, unknownWordsWarning } from '../../src/cli/phraseWords.ts';
import { phantomVocabulary } from '../../src/data/phantom/vocabulary.ts';
import { createTokenizer } from '../../src/data/text/tokenizer.ts';
import { describeFinding, drawFinding } from '../../src/eval/finding.ts';
import { RESEARCH_NOTICE } from '../../src/eval/notice.ts';
import { createGpu } from '../../src/gpu/create.node.ts';
import { encodeGrayPng } from '../../src/io/png.node.ts';
import { dicomImage } from '../support/dicomWriter.ts';
import { runCommand } from './support/commandLine.ts';
import { trainedRun } from './support/tinyRun.ts';

const folder = mkdtempSync(join(tmpdir(), 'groundray-localize-'));
const run = join(folder, 'run');
const image = join(folder, 'chest.png');
const [width, height] = [48, 36];

beforeAll(async () => {
  const data = Float32Array.from({ length: width * height }, (_, i) => ((i % width) + (i % 7)) / (width + 7));
  writeFileSync(image, encodeGrayPng({ width, height, data }));
  const gpu = await createGpu();
  await trainedRun(gpu, run);
  gpu.dispose();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('groundray localize', () => {
  it('draws a picture that can be read and prints where the phrase was found', async () => {
    const out = join(folder, 'new', 'overlay.png');
    const { code, stdout, stderr } = await runCommand(
      ...['localize', '--run', run, '--image', image, '--phrase', 'left pleural effusion', '--out', out],
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('after 3 steps');
    expect(stdout).toMatch(/similarity +-?\d\.\d{3} at most, -?\d\.\d{3} on average/);
    expect(stdout).toContain('presence    not calibrated');
    expect(stdout).toMatch(/peak +x \d+, y \d+ of 48 x 36 pixels/);
    expect(stdout).toContain('Threshold: 0.3 (default)');
    expect(stdout).toContain(RESEARCH_NOTICE);
    const picture = PNG.sync.read(readFileSync(out));
    expect(picture.width).toBe(512);
    // The image at 4 : 3, and the caption with the notice below.
    expect(picture.height).toBeGreaterThan(384 + 20);
  });

  it('finds the same in a DICOM file as in a PNG of it', async () => {
    const levels = Array.from({ length: width * height }, (_, i) => (((i % width) + (i % 7)) * 4) & 255);
    const [dicom, png] = [join(folder, 'chest.dcm'), join(folder, 'same.png')];
    // Stored upside down in brightness, and with a window over all of it.
    const mono1 = { '00280004': ['CS', 'MONOCHROME1'], '00281050': ['DS', '128'], '00281051': ['DS', '256'] } as const;
    const inverse = levels.map((level) => 255 - level);
    writeFileSync(dicom, dicomImage(width, height, inverse, 8, mono1));
    writeFileSync(png, encodeGrayPng({ width, height, data: levels.map((level) => level / 255) }));
    const find = async (file: string) => {
      const found = await runCommand('localize', '--run', run, '--image', file, '--phrase', 'edema', '--json');
      expect(found.stderr).toBe('');
      return JSON.parse(found.stdout).phrases;
    };
    expect(await find(dicom)).toEqual(await find(png));
  });

  it('prints JSON alone, with boxes inside the image, and writes no picture unless asked to', async () => {
    const before = readdirSync('.').join();
    const { code, stdout } = await runCommand(
      ...['localize', '--run', run, '--image', image, '--json', '--threshold', '0'],
      ...['--phrase', 'left pleural effusion', 'right upper lobe consolidation'],
    );
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ notice: RESEARCH_NOTICE, step: 3, preset: 'paper-minmax', threshold: 0 });
    expect(result.image).toMatchObject({ width, height });
    expect(result.phrases.map(({ phrase }: { phrase: string }) => phrase)).toEqual([
      'left pleural effusion',
      'right upper lobe consolidation',
    ]);
    for (const { similarity, peak, box, area, unknownWords: unknown, picture } of result.phrases) {
      expect(similarity.max).toBeGreaterThanOrEqual(similarity.mean);
      expect(Math.abs(similarity.max)).toBeLessThanOrEqual(1.0001);
      expect(peak.x >= box.x && peak.x < box.x + box.width && box.x + box.width <= width).toBe(true);
      expect(peak.y >= box.y && peak.y < box.y + box.height && box.y + box.height <= height).toBe(true);
      expect(area).toBeGreaterThan(0);
      expect(unknown).toEqual([]);
      expect(picture).toBeNull();
    }
    expect(readdirSync('.').join()).toBe(before);
  });

  it('numbers the pictures of several phrases', async () => {
    const out = join(folder, 'two.png');
    await runCommand(
      ...['localize', '--run', run, '--image', image, '--out', out, '--phrase', 'edema', '--phrase', 'opacity'],
    );
    expect(['two-1.png', 'two-2.png', 'two.png'].map((name) => existsSync(join(folder, name)))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('takes the threshold that the evaluation of the run found best', async () => {
    const methods = [{ bestThreshold: 0.45 }];
    mkdirSync(join(run, 'evaluation'), { recursive: true });
    writeFileSync(
      join(run, 'evaluation', 'report.json'),
      JSON.stringify({ presets: [{ preset: 'paper-minmax', methods }] }),
    );
    const args = ['localize', '--run', run, '--image', image, '--phrase', 'edema', '--json'];
    expect(JSON.parse((await runCommand(...args)).stdout).threshold).toBe(0.45);
    expect(JSON.parse((await runCommand(...args, '--preset', 'paper-cosine')).stdout).threshold).toBe(0.3);
    rmSync(join(run, 'evaluation'), { recursive: true });
  });

  it('warns of words that it does not know, and answers', async () => {
    const { code, stdout, stderr } = await runCommand(
      ...['localize', '--run', run, '--image', image, '--phrase', 'Лёгкое', '--json'],
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/^Warning: no word of "Лёгкое" is in the vocabulary of this run.*\n$/);
    expect(JSON.parse(stdout).phrases[0].unknownWords).toEqual(['Лёгкое']);
  });

  it('says in one sentence what is wrong, exits with 1 and writes nothing', async () => {
    const text = join(folder, 'text.png');
    writeFileSync(text, 'no picture');
    const cut = join(folder, 'cut.png');
    writeFileSync(cut, readFileSync(image).subarray(0, 200));
    const bare = join(folder, 'bare');
    mkdirSync(bare, { recursive: true });
    for (const name of ['config.json', 'vocab.txt']) writeFileSync(join(bare, name), readFileSync(join(run, name)));
    const broken = join(folder, 'broken');
    mkdirSync(broken, { recursive: true });
    for (const name of ['config.json', 'vocab.txt']) writeFileSync(join(broken, name), readFileSync(join(run, name)));
    const checkpoint = readFileSync(join(run, 'checkpoint.safetensors'));
    writeFileSync(join(broken, 'checkpoint.safetensors'), checkpoint.subarray(0, checkpoint.length - 100));

    const good = { run, image, phrase: 'edema', out: join(folder, 'never.png') };
    const cases: [Partial<typeof good>, RegExp][] = [
      [{ run: join(folder, 'nowhere') }, /^--run .*nowhere: there is no such folder\. Start a run with/],
      [{ run: folder }, /expected the folder of a training run with a config\.json, found none\./],
      [{ run: bare }, /has no checkpoint\.safetensors yet: training writes the first after 3 steps\./],
      [{ run: broken }, /checkpoint\.safetensors is cut off/],
      [{ image: join(folder, 'missing.png') }, /^--image .*missing\.png: there is no such file\.$/],
      [{ image: folder }, /expected a PNG, JPEG or DICOM file, found a folder\.$/],
      [{ image: text }, /text\.png: expected a PNG, JPEG or DICOM image, but it cannot be decoded/],
      [{ image: cut }, /cut\.png: expected a PNG, JPEG or DICOM image, but it cannot be decoded/],
      [{ phrase: ' ?! ' }, /^The phrase " \?! " has no word to look for\./],
      [{ out: join(folder, 'never.jpg') }, /expected a name that ends in \.png\.$/],
      [{ out: image }, /would replace the image itself; choose another name\.$/],
    ];
    const content = readFileSync(image);
    for (const [change, sentence] of cases) {
      const { run: from, image: file, phrase, out } = { ...good, ...change };
      const result = await runCommand(
        ...['localize', '--run', from, '--image', file, '--phrase', phrase, '--out', out],
      );
      expect(result.stderr.trimEnd()).toMatch(sentence);
      expect(result.stderr.trimEnd()).not.toContain('\n');
      expect(result.code).toBe(1);
    }
    expect(readdirSync(folder).filter((name) => name.startsWith('never'))).toEqual([]);
    expect(readFileSync(image).equals(content)).toBe(true);
  });

  it('ends the process with exit code 1', () => {
    const main = resolve(import.meta.dirname, '../../src/cli/main.ts');
    const args = ['--import', 'tsx', main, 'localize', '--run', folder, '--image', image, '--phrase', 'edema'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stderr).toContain('expected the folder of a training run');
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });
});

describe('describeFinding', () => {
  // 4 x 4 cells over a 16 x 8 image, centred in a square: the rows 1 and 2 lie on it, 4 pixels each.
  const grid = { width: 4, height: 4, data: new Float32Array(16).fill(-0.2) };
  grid.data[6] = 0.8;
  const gray = { width: 16, height: 8, data: new Float32Array(128) };
  const options = { sigma: 0, preset: 'paper-cosine', threshold: 0.5 } as const;

  it('gives peak and box in pixels of the image', () => {
    const finding = describeFinding('x', { grid }, gray, options);
    expect(finding.similarity.max).toBeCloseTo(0.8);
    expect(finding.similarity.mean).toBeCloseTo((0.8 - 15 * 0.2) / 16);
    // Cell (2, 1) covers x 8 to 12 and y 0 to 4; half of its height is kept up to 1.2 pixels from its centre.
    expect(finding.peak.x === 9 || finding.peak.x === 10).toBe(true);
    expect(finding.box).toEqual({ x: 9, y: 1, width: 2, height: 2 });
    expect(finding.regions).toHaveLength(1);
    expect(finding.area).toBeCloseTo(4 / 128);
    expect(findingLines(finding, gray, 0.5).join('\n')).toContain('x 9 to 11, y 1 to 3; 3.1 % of the image');
  });

  it('says so when nothing is over the threshold', () => {
    const finding = describeFinding('x', { grid }, gray, { ...options, threshold: 0.9 });
    expect(finding.box).toBeNull();
    expect(findingLines(finding, gray, 0.9).join('\n')).toContain('nothing: no part of the map');
  });

  it('decides between present and absent, and shows the map either way', () => {
    const calibration = {
      signal: 'global' as const,
      ...{ threshold: 0.25, sigma: 0, sensitivity: 0.9, specificity: 0.6, auroc: 0.8 },
      ...{ phrases: 20, dataset: 'phantom-0' },
    };
    const ask = (similarity?: number) =>
      describeFinding('x', { grid, ...(similarity === undefined ? {} : { similarity }) }, gray, {
        ...options,
        calibration,
      });
    const [present, absent, unknown] = [ask(0.25), ask(0.1), ask()];
    const lines = (finding: ReturnType<typeof ask>) => findingLines(finding, gray, 0.5).join('\n');
    expect(lines(present)).toContain('present (similarity of the whole image 0.250 reaches 0.250)');
    expect(lines(absent)).toContain('absent (similarity of the whole image 0.100 below 0.250)');
    expect(lines(unknown)).toContain('not calibrated: whether the phrase is in the image at all is not known');
    expect(absent.map).toEqual(present.map);
    expect(absent.box).toEqual(present.box);
    // The caption differs, the picture above it does not.
    const pictures = [present, absent].map((finding) => drawFinding(gray, finding, { ...options, calibration }));
    const [above, below] = [0, 512 * 256 * 4].map((start) =>
      pictures.map(({ data }) => Buffer.from(data.slice(start, start === 0 ? 512 * 256 * 4 : undefined))),
    ) as [Buffer[], Buffer[]];
    expect(above[0]!.equals(above[1]!)).toBe(true);
    expect(below[0]!.equals(below[1]!)).toBe(false);
    const note = 'The maps of this model say nothing, since it is not trained.';
    const noted = drawFinding(gray, present, { ...options, calibration, note });
    expect(noted.height).toBeGreaterThan(pictures[0]!.height);
  });

  it('reduces pictures of very large images', () => {
    const large = { width: 3000, height: 1500, data: new Float32Array(3000 * 1500) };
    expect(drawFinding(large, describeFinding('x', { grid }, large, options), options).width).toBe(1280);
  });
});

describe('unknownWords', () => {
  const tokenizer = createTokenizer({ vocabulary: phantomVocabulary() });

  it('lists what the vocabulary cannot spell', () => {
    expect(unknownWords('left pleural effusion', tokenizer, 96)).toEqual([]);
    const unknown = unknownWords('left 肺 effusion', tokenizer, 96);
    expect(unknown).toEqual(['肺']);
    expect(unknownWordsWarning('left 肺 effusion', unknown)).toContain('read as unknown: 肺');
  });
});
