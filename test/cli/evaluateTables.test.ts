import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateTables } from '../../src/cli/evaluateTables.ts';
import { openDataset } from '../../src/data/open.node.ts';
import { phantomDataset } from '../../src/data/phantom/dataset.ts';
import { writeDataset } from '../../src/data/phantom/write.node.ts';
import type { PaperTables } from '../../src/eval/paperTables.ts';
import { createGpu } from '../../src/gpu/create.node.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { GroundingModel } from '../../src/models/grounding.ts';
import type { RunDescription } from '../../src/train/runFolder.node.ts';
import { runCommand } from './support/commandLine.ts';
import { untrainedRun } from './support/tinyRun.ts';

const folder = mkdtempSync(join(tmpdir(), 'groundray-tables-'));
const corpus = join(folder, 'rsna-like');
let gpu: Gpu;
let run: RunDescription;

beforeAll(async () => {
  gpu = await createGpu();
  run = await untrainedRun(gpu, join(folder, 'run'));
  await writeDataset(phantomDataset({ count: 20, size: 32, seed: 4 }), { folder: corpus });
});
afterAll(() => {
  gpu.dispose();
  rmSync(folder, { recursive: true });
});

describe('groundray evaluate --tables', () => {
  it('prints the tables and writes them in three forms', async () => {
    const { code, stdout, stderr } = await runCommand('evaluate', '--run', run.folder, '--tables', '--images', '2');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    for (const title of ['Table 1. RSNA Pneumonia', 'Table 2. COVID Rural', 'Table 3. MS-CXR by class']) {
      expect(stdout).toContain(`## ${title}`);
    }
    expect(stdout).toContain('## phantom-1 by class');
    expect(stdout).toMatch(/\*\*groundray \(tiny\)\*\* \| measured/);
    const file = (ending: string) => readFileSync(join(run.folder, 'evaluation', `tables.${ending}`), 'utf8');
    expect(stdout).toContain(file('md'));
    expect(file('tex')).toContain('\\bottomrule');
    expect((JSON.parse(file('json')) as PaperTables).tables).toHaveLength(4);
  });

  it('has a row of ours for every corpus among the data, and JSON alone on stdout where that is asked for', async () => {
    const out = join(folder, 'elsewhere');
    const { code, stdout } = await runCommand(
      ...['evaluate', '--run', run.folder, '--tables', '--format', 'json', '--out', out, '--split', 'all'],
      ...['--images', '2', '--data', corpus, '--data', corpus],
    );
    expect(code).toBe(0);
    const { tables } = JSON.parse(stdout) as PaperTables;
    expect(tables.map(({ number, measured }) => [number, measured?.images])).toEqual([
      [1, 2],
      [1, 2],
      [2, undefined],
      [3, undefined],
    ]);
    expect(existsSync(join(out, 'tables.tex'))).toBe(true);
  });

  it('says in one sentence which flags do not go together', async () => {
    const cases: [string[], RegExp][] = [
      [['--format', 'latex'], /^--format belongs to --tables/],
      [['--out', folder], /^--out belongs to --tables/],
      [['--data', corpus, '--data', corpus], /^--data was given 2 times; only --tables takes several/],
      [['--tables', '--data', join(folder, 'nothing')], /nothing: expected a folder with a manifest\.csv/],
    ];
    for (const [args, sentence] of cases) {
      const { code, stdout, stderr } = await runCommand('evaluate', '--run', run.folder, ...args);
      expect(stderr.trimEnd()).toMatch(sentence);
      expect(stderr.trimEnd()).not.toContain('\n');
      expect([stdout, code]).toEqual(['', 1]);
    }
  });

  it('writes nothing when it is stopped', async () => {
    const printed: string[] = [];
    const done = await evaluateTables(
      ...([gpu, run, [await openDataset(run.config.data)], new GroundingModel(run.config.model)] as const),
      {
        ...{ images: 2, split: 'test', foreign: false, format: 'markdown', out: join(folder, 'stopped') },
        ...{ signal: AbortSignal.abort(), print: (text: string) => printed.push(text) },
      } as const,
    );
    expect(done).toBe(false);
    expect(printed.join('')).toContain('Evaluation stopped, no table was written.');
    expect(existsSync(join(folder, 'stopped'))).toBe(false);
  });
});
