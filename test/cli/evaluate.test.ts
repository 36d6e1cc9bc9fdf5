import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateRun } from '../../src/cli/evaluateRun.ts';
import { divideForEvaluation } from '../../src/cli/evaluationPhrases.ts';
import { openDataset } from '../../src/data/open.node.ts';
import type { Dataset, GroundedPhrase, Split } from '../../src/data/types.ts';
import { RESEARCH_NOTICE } from '../../src/eval/notice.ts';
import type { GroundingResult, MethodResult } from '../../src/eval/result.ts';
import { createGpu } from '../../src/gpu/create.node.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { encodeGrayPng } from '../../src/io/png.node.ts';
import { GroundingModel } from '../../src/models/grounding.ts';
import { readCalibration } from '../../src/train/calibration.node.ts';
import type { RunDescription } from '../../src/train/runFolder.node.ts';
import { runCommand } from './support/commandLine.ts';
import { untrainedRun } from './support/tinyRun.ts';

const folder = mkdtempSync(join(tmpdir(), 'groundray-evaluate-'));
let gpu: Gpu;
let run: RunDescription;

beforeAll(async () => {
  gpu = await createGpu();
  run = await untrainedRun(gpu, join(folder, 'run'));
});
afterAll(() => {
  gpu.dispose();
  rmSync(folder, { recursive: true });
});

describe('groundray evaluate', () => {
  it('writes the report with examples and prints every method and probe', async () => {
    const { code, stdout, stderr } = await runCommand('evaluate', '--run', run.folder);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    const names = ['tiny', 'untrained model', 'random map', 'all ones', 'centre Gaussian', 'two-lung Gaussian'];
    names.push('mean training mask', 'oracle class', 'oracle text');
    const first = lines.findIndex((line) => /^paper-minmax +IoU +Dice +CNR +Pointing$/.test(line));
    expect(lines.slice(first + 2, first + 2 + names.length).map((line) => line.split('  ')[0])).toEqual(names);
    expect(stdout).toMatch(/Left and right swapped in \d+ phrases: IoU/);
    expect(stdout).toMatch(/Finding denied \("no \.\.\."\) in \d+ cases: its peak similarity is lower by/);
    expect(stdout).toContain(RESEARCH_NOTICE);
    expect(stdout).toMatch(/Present or absent \((global|peak) similarity of -?\d\.\d{3}\): AUROC/);
    expect(stdout).toMatch(/Zero-shot classification of 4 images: AUROC .*; with "There is no \.\.\." AUROC/);
    expect(stdout).toMatch(/Image to report among 4: right within 1 for \d+ % \(chance 25 %\)/);
    expect(lines.length).toBeLessThan(34);

    const report = (ending: string) => readFileSync(join(run.folder, 'evaluation', `report.${ending}`), 'utf8');
    const json: GroundingResult = JSON.parse(report('json'));
    expect(json.counts.images).toBe(4);
    const { zeroShot, retrieval, presence } = json.matching!;
    expect(zeroShot.map(({ scheme, images, validationImages }) => [scheme, images, validationImages])).toEqual([
      ['prompts', 4, 12],
      ['pairs', 4, 12],
    ]);
    expect(retrieval.map(({ similarity }) => similarity)).toEqual(['global', 'local', 'both']);
    expect(presence!.calibration).toMatchObject({ dataset: 'phantom-1', step: 0, sigma: 1 });
    expect(await readCalibration(run.folder)).toEqual(presence!.calibration);
    expect(json.protocol.sigma).toBe(1);
    expect(json.presets.map(({ preset }) => preset)).toEqual(['paper-minmax', 'paper-cosine']);
    expect(json.presets[0]!.methods.map(({ name }) => name)).toEqual(names);
    expect(report('md')).toContain('untrained model: the same network with the parameters that training started from.');
    expect(report('html')).toContain('<img alt="Heat map of ');
    for (const title of ['Present or absent', 'Zero-shot classification', 'Retrieval']) {
      expect(report('md')).toContain(`## ${title}`);
      expect(report('html')).toContain(`<h2>${title}</h2>`);
    }
    expect(existsSync(join(run.folder, 'evaluation', 'example-01.png'))).toBe(true);
  });

  it('leaves a threshold with the weights, by which localize says present or absent', async () => {
    const { loadImage, studies } = await openDataset(run.config.data);
    const image = join(folder, 'chest.png');
    writeFileSync(image, encodeGrayPng(await loadImage(studies[0]!.id)));
    const ask = ['localize', '--run', run.folder, '--image', image, '--phrase', 'left pneumonia', '--json'];
    const { stdout } = await runCommand(...ask);
    const { calibration, phrases } = JSON.parse(stdout);
    expect(calibration).toEqual(await readCalibration(run.folder));
    const { present, value, threshold } = phrases[0].presence;
    expect(threshold).toBe(calibration.threshold);
    expect(present).toBe(value >= threshold);
  });

  it('measures a network before its first step exactly like the untrained one', async () => {
    const { stdout } = await runCommand('evaluate', '--run', run.folder, '--images', '3', '--no-matching', '--json');
    const { presets } = JSON.parse(stdout) as GroundingResult;
    for (const { methods, differences } of presets) {
      const [model, untrained] = methods as [MethodResult, MethodResult];
      expect(untrained.kind).toBe('comparison');
      expect(untrained.overall).toEqual(model.overall);
      expect(differences[0]).toMatchObject({ prior: 'untrained model', iou: { value: 0, low: 0, high: 0 } });
    }
  });

  it('evaluates another split, and leaves the untrained network out where asked to', async () => {
    const { stdout } = await runCommand(
      ...[
        'evaluate',
        '--run',
        run.folder,
        '--split',
        'validation',
        '--images',
        '2',
        '--no-untrained',
        '--no-matching',
        '--json',
      ],
    );
    const { counts, presets } = JSON.parse(stdout) as GroundingResult;
    expect(counts.images).toBe(2);
    expect(presets[0]!.methods.map(({ name }) => name)).not.toContain('untrained model');
    expect(presets[0]!.methods[0]!.rows ?? []).toEqual([]);
  });

  it('writes nothing when it is stopped', async () => {
    const stopped: RunDescription = { ...run, folder: join(folder, 'stopped') };
    const printed: string[] = [];
    const result = await evaluateRun(
      gpu,
      stopped,
      await openDataset(run.config.data),
      new GroundingModel(run.config.model),
      { images: 2, signal: AbortSignal.abort(), print: (text) => printed.push(text) },
    );
    expect(result).toBeUndefined();
    expect(printed.join('')).toContain('Evaluation stopped, no report was written.');
    expect(existsSync(stopped.folder)).toBe(false);
  });

  it('says in one sentence what is wrong and exits with 1', async () => {
    const cases: [string[], RegExp][] = [
      [['--run', join(folder, 'nowhere')], /^--run .*nowhere: there is no such folder\./],
      [
        ['--run', run.folder, '--data', join(folder, 'nothing')],
        /expected a folder with a manifest\.csv, found nothing/,
      ],
    ];
    for (const [args, sentence] of cases) {
      const { code, stdout, stderr } = await runCommand('evaluate', ...args);
      expect(stderr.trimEnd()).toMatch(sentence);
      expect(stderr.trimEnd()).not.toContain('\n');
      expect(stdout).toBe('');
      expect(code).toBe(1);
    }
  });
});

describe('divideForEvaluation', () => {
  const splits: Split[] = ['train', 'train', 'validation', 'test', 'test'];
  const phrase = (studyId: string): GroundedPhrase => ({
    studyId,
    phrase: 'edema',
    category: studyId === 'without report' ? 'nodule' : 'edema',
    attributes: {},
    loadMask: () => Promise.reject(new Error('not needed')),
  });
  const dataset: Dataset = {
    name: 'five',
    studies: splits.map((split, i) => ({ id: `s${i}`, patientId: `p${i}`, split, report: 'Edema.' })),
    phrases: [...splits.map((_, i) => phrase(`s${i}`)), phrase('s4'), phrase('without report')],
    loadImage: () => Promise.reject(new Error('not needed')),
  };
  const ids = (phrases: readonly GroundedPhrase[]) => phrases.map(({ studyId }) => studyId);

  it('counts a study without a report to the test split, which training has not seen', () => {
    const { evaluated, validation, training, trainedCategories } = divideForEvaluation(dataset, 'test', 0, false);
    expect(ids(evaluated)).toEqual(['s3', 's4', 's4', 'without report']);
    expect(ids(validation)).toEqual(['s2']);
    expect(ids(training)).toEqual(['s0', 's1']);
    expect(trainedCategories).toEqual(['edema']);
  });

  it('never fits a prior or a threshold on what it evaluates', () => {
    const all = divideForEvaluation(dataset, 'all', 0, false);
    expect([all.validation, all.training]).toEqual([[], []]);
    expect(ids(divideForEvaluation(dataset, 'train', 1, false).training)).toEqual(['s1']);
  });

  it('limits images, not phrases, and knows no trained classes of data from elsewhere', () => {
    const { evaluated, trainedCategories } = divideForEvaluation(dataset, 'test', 2, true);
    expect(ids(evaluated)).toEqual(['s3', 's4', 's4']);
    expect(trainedCategories).toEqual([]);
  });

  it('says which splits have phrases when the wanted one has none', () => {
    const trainOnly = { ...dataset, phrases: [phrase('s0')] };
    expect(() => divideForEvaluation(trainOnly, 'test', 0, false)).toThrow(
      'five has no phrase in its test split; it has some in train (1). Choose one with --split.',
    );
    expect(() => divideForEvaluation({ ...dataset, phrases: [] }, 'test', 0, false)).toThrow(/add a phrases\.csv/);
  });
});
