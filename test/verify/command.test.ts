import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { f32, fixturesOf, groupFiles } from './support/memory.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function groundray(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const command = ['--import', 'tsx', 'src/cli/main.ts', ...args];
    execFile(process.execPath, command, { cwd: root }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}

describe('groundray verify', () => {
  let folder = '';

  const write = async (name: string, expected: number): Promise<string> => {
    const inputs = { a: f32([2], 1, 2), b: f32([2], 3, 4) };
    const cases = [{ name: 'one', op: 'mul', inputs, outputs: { y: f32([2], 3, expected) } }];
    const target = join(folder, name);
    await mkdir(target);
    for (const [file, content] of Object.entries(fixturesOf(groupFiles('products', cases)))) {
      await writeFile(join(target, file), content);
    }
    return target;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'verify-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('names the adapter, prints a table and exits with 0 when all cases pass', async () => {
    const { code, stdout } = await groundray('verify', '--fixtures', await write('good', 8));
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^Adapter: .+ \((software|hardware) adapter\)$/);
    expect(lines[1]).toMatch(/^group +cases +passed +failed +unsupported +seconds +worst error/);
    expect(lines[2]).toMatch(/^products +1 +1 +0 +0 /);
    expect(lines.at(-1)).toBe('PASS: 1 of 1 cases passed, 0 failed, in 1 groups.');
    expect(code).toBe(0);
  });

  it('exits with 1 and writes the report when an expectation is corrupted', async () => {
    const json = join(folder, 'report.json');
    const { code, stdout } = await groundray('verify', '--fixtures', await write('bad', 8.5), '--json', json);
    expect(stdout).toContain('FAILED products/one y: element 1: expected 8.5, got 8 (');
    expect(stdout.trimEnd()).toMatch(/FAIL: 0 of 1 cases passed, 1 failed, in 1 groups\.$/);
    expect(code).toBe(1);
    const report = JSON.parse(await readFile(json, 'utf8'));
    expect(report.groups[0].failures[0].checks[0].worst).toMatchObject({ index: 1, got: 8, expected: 8.5 });
  });

  it('says in one sentence that there is no such folder', async () => {
    const { code, stdout, stderr } = await groundray('verify', '--fixtures', join(folder, 'none'));
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^Cannot read manifest\.json of the fixtures in .+none: there is no such file\.\n$/);
  });
});
