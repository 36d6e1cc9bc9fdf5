import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCondition, runConfigFor, runFolderOf } from '../../src/cli/study/conditions.ts';
import { RESEARCH_NOTICE } from '../../src/eval/notice.ts';
import type { StudyResult } from '../../src/eval/study/result.ts';
import { readMetrics } from '../../src/train/metrics.node.ts';
import { runCommand } from './support/commandLine.ts';
import { tinyConfig } from './support/tinyRun.ts';

const folder = mkdtempSync(join(tmpdir(), 'groundray-study-'));
afterAll(() => rmSync(folder, { recursive: true }));

const config = join(folder, 'tiny.json');
const { preset: _preset, ...fields } = tinyConfig;
writeFileSync(config, JSON.stringify({ ...fields, steps: 40, checkpointEvery: 100, validateEvery: 20 }));
const flags = ['--config', config, '--objectives', 'sentence-local,global:tau1=0.2', '--seeds', '3', '--images', '3'];

/** Presses Ctrl-C as soon as `isTime`; only the first time. */
function interruptWhen(isTime: () => boolean): void {
  const timer = setInterval(() => {
    if (!isTime()) return;
    clearInterval(timer);
    process.emit('SIGINT');
  }, 2);
}

const study = (out: string, ...args: string[]) => runCommand('study', '--out', out, ...args);
const result = (out: string): StudyResult => JSON.parse(readFileSync(join(out, 'study.json'), 'utf8'));
const first = (out: string) => join(out, 'sentence-local', 'seed-3');
const second = (out: string) => join(out, 'global-tau1-0.2', 'seed-3');

describe('groundray study', () => {
  const whole = join(folder, 'whole');
  const stopped = join(folder, 'stopped');

  it('trains and evaluates every objective and the untrained network, and writes the tables', async () => {
    const { code, stdout, stderr } = await study(whole, ...flags);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('3 runs; 2 to train');
    expect(stdout).toMatch(/^sentence-local +\d\.\d{3} +/m);
    expect(stdout).toMatch(/^global:tau1=0\.2 - untrained: IoU .*above 0 for [01] of 1 seeds$/m);
    expect(stdout).toContain(RESEARCH_NOTICE);
    const { conditions, seeds } = result(whole);
    expect(conditions.map(({ name }) => name)).toEqual(['sentence-local', 'global:tau1=0.2', 'untrained']);
    expect(seeds).toEqual([3]);
    expect(conditions[0]!.curves[0]!.points.map(({ step }) => step)).toEqual([20, 40]);
    expect(readFileSync(join(whole, 'study.md'), 'utf8')).toMatch(
      /--objectives sentence-local,global:tau1=0\.2 --seeds 3/,
    );
    expect(readFileSync(join(whole, 'study.svg'), 'utf8')).toMatch(/^<svg/);
    const trained = JSON.parse(readFileSync(join(second(whole), 'config.json'), 'utf8'));
    expect(trained).toMatchObject({ seed: 3, objective: { objective: 'global', tau1: 0.2, tau2: 0.12 } });
  });

  it('goes on inside a run and between runs, and ends as if it had not been stopped', async () => {
    interruptWhen(() => readMetrics(first(stopped)).length >= 2);
    const inside = await study(stopped, ...flags);
    expect(inside.code).toBe(130);
    expect(inside.stdout).toContain('Stopped: 1 of 3 runs are finished. Go on with: npm run study -- --out ');
    const done = readMetrics(first(stopped)).filter(({ kind }) => kind === 'train').length;
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(40);
    expect(existsSync(join(first(stopped), 'checkpoint.safetensors'))).toBe(true);
    expect(existsSync(join(first(stopped), 'model.safetensors'))).toBe(false);

    const report = join(first(stopped), 'evaluation', 'report.json');
    interruptWhen(() => existsSync(report));
    const between = await study(stopped);
    expect(between.code).toBe(130);
    expect(between.stdout).toMatch(/Stopped: 2 of 3 runs are finished/);
    expect(existsSync(join(second(stopped), 'evaluation'))).toBe(false);
    expect(readFileSync(join(stopped, 'study.md'), 'utf8')).toContain('Not complete: 1 run is not finished yet.');

    const written = statSync(report).mtimeMs;
    const last = await study(stopped);
    expect(last.code).toBe(0);
    expect(statSync(report).mtimeMs).toBe(written);
    const weights = (run: string) => readFileSync(join(run, 'model.safetensors'));
    for (const run of [first, second]) expect(weights(run(stopped)).equals(weights(run(whole)))).toBe(true);
    const { provenance: _, ...ended } = result(stopped) as StudyResult & { provenance: unknown };
    expect(result(whole)).toMatchObject(ended);
  });

  it('refuses settings that would change its runs, in one sentence, and leaves everything as it is', async () => {
    const before = readFileSync(join(whole, 'settings.json'), 'utf8');
    const cases: [string[], RegExp][] = [
      [['--steps', '41'], /whole holds a study with steps 40, and 41 was asked for.*--out/],
      [['--images', '4'], /evaluateImages 3, and 4/],
      [['--preset', 'phantom-mini'], /holds a study with .* was asked for/],
      [['--seeds', '4'], /with seed 3 as well: objectives and seeds can be added, not taken away/],
      [['--objectives', 'sentence-local'], /with global:tau1=0\.2 as well/],
      [
        ['--objectives', 'sentences'],
        /"sentences" is no objective; expected some of sentence-local, word-local, global/,
      ],
      [['--objectives', 'global:tau9=1'], /"tau9=1" in "global:tau9=1" is no temperature/],
    ];
    for (const [args, sentence] of cases) {
      const { code, stderr } = await study(whole, ...args);
      expect(code, args.join(' ')).toBe(1);
      expect(stderr.trimEnd()).toMatch(sentence);
      expect(stderr.trimEnd()).not.toContain('\n');
    }
    expect(readFileSync(join(whole, 'settings.json'), 'utf8')).toBe(before);
  });

  it('names a run of its folder that was changed, and a result that is none', async () => {
    const report = join(first(whole), 'evaluation', 'report.json');
    const kept = readFileSync(report);
    writeFileSync(report, '{"kind":"something"}');
    const broken = await study(whole);
    expect(broken.code).toBe(1);
    expect(broken.stderr).toMatch(
      /report\.json: expected the result of an evaluation with its phrases\. Remove .*evaluation/,
    );
    writeFileSync(report, kept);

    const path = join(second(whole), 'config.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), seed: 9 }));
    const changed = await study(whole);
    expect(changed.code).toBe(1);
    expect(changed.stderr).toMatch(/global-tau1-0\.2\/seed-3 holds a run whose config\.json is not that of the study/);
  });
});

describe('conditions', () => {
  it('change the objective and its temperatures, and nothing else', () => {
    const condition = parseCondition('word-local:tau2=0.25:tau3=0.1');
    const config = runConfigFor(tinyConfig, condition, 5);
    const objective = { ...tinyConfig.objective, objective: 'word-local', tau2: 0.25, tau3: 0.1 };
    expect(config).toEqual({ ...tinyConfig, seed: 5, objective });
    expect(runFolderOf(condition.name, 5)).toBe('word-local-tau2-0.25-tau3-0.1/seed-5');
  });
});
