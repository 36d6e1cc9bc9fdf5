import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readBenchFile } from '../../bench/report/baseline.ts';

const root = resolve(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'groundray-bench-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function bench(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    const command = ['--import', 'tsx', 'bench/main.ts', ...args];
    execFile(process.execPath, command, { cwd: root }, (error, stdout, stderr) => {
      done({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}

describe('npm run bench', () => {
  it.each<readonly [readonly string[], string]>([
    [['--suite', 'kernels,nope'], 'There is no suite "nope"; there are models, kernels, overhead, peers and all.'],
    [['--batch', '1,x'], 'Expected whole numbers of 1 or more, separated by commas.'],
    [['--only', 'no such case'], 'contains "no such case"'],
    [['--baseline', join(folder, 'none.json')], 'none.json cannot be read as results of the benchmark'],
    [['--only', 'softmax', '--json', folder], 'cannot be written: it is a folder.'],
  ])('refuses %j in a sentence, before it measures anything', async (args, sentence) => {
    const { code, stdout, stderr } = await bench(...args);
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect([code, stdout]).toEqual([1, '']);
  });

  it('measures, writes both files, and compares with what it wrote', async () => {
    const [json, html] = [join(folder, 'out', 'a.json'), join(folder, 'out', 'a.html')];
    const few = ['--suite', 'kernels', '--only', 'sum 128x768', '--rounds', '3'];
    const first = await bench(...few, '--json', json, '--html', html);
    expect([first.code, first.stdout]).toEqual([0, expect.stringMatching(/reductions\n {2}sum 128x768/)]);
    const file = readBenchFile(json);
    expect(file.results.map(({ name }) => name)).toEqual(['sum 128x768, axes 0']);
    expect(readFileSync(html, 'utf8')).toMatch(/<svg.*<\/html>/s);
    expect(readFileSync(html, 'utf8')).not.toMatch(/(src|href)="?http/);

    // A hundred times faster before: certainly slower now, whatever else the machine does.
    const [before] = file.results;
    const time = { median: 1e-6, low: 1e-6, high: 1e-6, spread: 0, rounds: 3 };
    writeFileSync(json, JSON.stringify({ ...file, results: [{ ...before, wall: time, gpu: time }] }));
    const second = await bench(...few, '--baseline', json);
    expect([second.code, second.stdout]).toEqual([1, expect.stringContaining('1 slower, 0 faster')]);
  });
});
