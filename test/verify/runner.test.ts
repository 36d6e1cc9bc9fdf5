import { describe, expect, it } from 'vitest';
import { createGpu } from '../../src/gpu/create.node.ts';
import { runFixtures } from '../../src/verify/runner.ts';
import { failureLines, groupRow, summaryLine } from '../../src/verify/table.ts';
import { f32, fixturesOf, groupFiles, memorySource } from './support/memory.ts';

const sum = (name: string, expected: readonly number[]) => ({
  name,
  op: 'add',
  inputs: { a: f32([3, 1], 1, 2, 3), b: f32([1, 2], 10, 20) },
  outputs: { y: f32([3, 2], ...expected) },
});

const right = sum('right', [11, 21, 12, 22, 13, 23]);
const wrong = sum('wrong', [11, 21, 12, 22.5, 13, 23]);

const run = (files: ReturnType<typeof fixturesOf>, options = {}) =>
  runFixtures(memorySource(files), () => createGpu(), options);

describe('runFixtures', () => {
  it('passes a folder whose expectations the engine meets', async () => {
    const groups = await run(fixturesOf(groupFiles('sums', [right])));
    expect(groups).toMatchObject([{ group: 'sums', cases: 1, passed: 1, failed: 0, failures: [] }]);
    expect(summaryLine(groups)).toBe('PASS: 1 of 1 cases passed, 0 failed, in 1 groups.');
  });

  it('reports a corrupted expectation with case, tensor, element, both values and the size of the error', async () => {
    const [group] = await run(fixturesOf(groupFiles('sums', [right, wrong])));
    expect(group).toMatchObject({ passed: 1, failed: 1, unsupported: 0 });
    expect(group!.worst).toMatchObject({ case: 'wrong', tensor: 'y' });
    expect(group!.worst.ratio).toBeCloseTo(0.5 / 1e-6, 0);
    expect(group!.failures.flatMap(failureLines)).toEqual([
      'FAILED sums/wrong y: element 3 [1, 1]: expected 22.5, got 22 (5.000e+5 times the tolerance 0.00000100; 1 of 6 elements miss)',
    ]);
    expect(groupRow(group!)).toMatch(/^sums +2 +1 +1 +0 +[\d.]+ +5\.000e\+5 {2}\(wrong: y\)$/);
    expect(summaryLine([group!])).toMatch(/^FAIL: 1 of 2 cases passed, 1 failed/);
  });

  it('counts an unknown operator as failed and goes on', async () => {
    const unknown = { ...right, name: 'novel', op: 'transmogrify' };
    const groups = await run(fixturesOf(groupFiles('sums', [unknown, right])));
    expect(groups).toMatchObject([{ passed: 1, failed: 1, unsupported: 1 }]);
    expect(groups[0]!.failures.flatMap(failureLines)).toEqual([
      'UNSUPPORTED sums/novel: the engine has no operator "transmogrify"',
    ]);
    expect(summaryLine(groups)).toBe('FAIL: 1 of 2 cases passed, 1 failed (1 of them unsupported), in 1 groups.');
  });

  it('goes on after a case that throws', async () => {
    const misfit = { ...right, name: 'misfit', inputs: { a: f32([2], 1, 2), b: f32([3], 1, 2, 3) } };
    const [group] = await run(fixturesOf(groupFiles('sums', [misfit, right])));
    expect(group).toMatchObject({ passed: 1, failed: 1 });
    expect(group!.failures[0]!.problem).toMatch(/cannot be broadcast/);
  });

  it('makes a new device when one has failed for good', async () => {
    let made = 0;
    const openGpu = async () => {
      made += 1;
      const gpu = await createGpu();
      // The first device is lost before its first case.
      if (made === 1) gpu.dispose();
      return gpu;
    };
    const [group] = await runFixtures(memorySource(fixturesOf(groupFiles('sums', [right, right]))), openGpu);
    expect(group).toMatchObject({ passed: 1, failed: 1 });
    expect(made).toBe(2);
  });

  it('fails where the engine gives NaN, another shape, or no such result', async () => {
    const view = { op: 'reshape', attrs: { shape: [2] }, inputs: { x: f32([2], Number.NaN, 1) } };
    const cases = [
      { ...view, name: 'nan', outputs: { y: f32([2], 0, 1) }, atol: 1e30 },
      { ...view, name: 'shape', outputs: { y: f32([1, 2], 0, 1) }, atol: 1e30 },
      { ...view, name: 'absent', outputs: { y: f32([2], 0, 1), z: f32([1], 0) }, atol: 1e30 },
    ];
    const [group] = await run(fixturesOf(groupFiles('views', cases)));
    expect(group!.failed).toBe(3);
    expect(group!.failures.flatMap(failureLines)).toEqual([
      expect.stringMatching(/^FAILED views\/nan y: element 0: expected 0, got NaN \(infinite times/),
      'FAILED views/shape y: expected the shape [1,2], got [2]',
      expect.stringMatching(/^FAILED views\/absent y: /),
      'FAILED views/absent z: the engine has no such result',
    ]);
  });

  it('fails a case without outputs, which would prove nothing', async () => {
    const [group] = await run(fixturesOf(groupFiles('sums', [{ ...right, outputs: {} }])));
    expect(group!.failures[0]!.problem).toBe('the case has nothing to compare');
  });

  it('runs the cases that are asked for', async () => {
    const files = fixturesOf(groupFiles('sums', [right, wrong]), groupFiles('more', [{ ...right, name: 'again.1' }]));
    expect(await run(files, { case: 'r?gh*' })).toMatchObject([{ group: 'sums', cases: 1, failed: 0 }]);
    expect(await run(files, { group: 'more', case: 'again.1' })).toMatchObject([{ group: 'more', cases: 1 }]);
    await expect(run(files, { group: 'most' })).rejects.toThrow(/no group "most"; its groups are sums, more/);
    await expect(run(files, { case: 'left' })).rejects.toThrow(/No case in memory fits "left"/);
  });

  it('tells by case what is wrong with a tensor of the files', async () => {
    const group = groupFiles('sums', [right, wrong]);
    const [input] = group.manifest.cases[0]!.inputs;
    Object.assign(input!, { tensor: 'nowhere' });
    Object.assign(group.manifest.cases[1]!.inputs[1]!, { shape: [7] });
    const [report] = await run(fixturesOf(group));
    expect(report!.failures.map(({ problem }) => problem)).toEqual([
      expect.stringMatching(/sums\.safetensors has no tensor nowhere/),
      expect.stringMatching(/tensor wrong\/in\/b is \[1,2\], the manifest says \[7\]/),
    ]);
  });

  it('fails the cases of a group whose file is missing or broken, and runs the others', async () => {
    const files = fixturesOf(groupFiles('first', [right]), groupFiles('second', [right]), groupFiles('third', [right]));
    const { 'first.safetensors': _, ...rest } = files as Record<string, string | Uint8Array<ArrayBuffer>>;
    const broken = { ...rest, 'second.safetensors': new Uint8Array(5) };
    const groups = await runFixtures(memorySource(broken), () => createGpu());
    expect(groups.map(({ passed }) => passed)).toEqual([0, 0, 1]);
    expect(groups[0]!.failures[0]!.problem).toMatch(/^Cannot read first\.safetensors/);
    expect(groups[1]!.failures[0]!.problem).toMatch(/^second\.safetensors is not a safetensors file/);
  });
});

describe('a manifest that cannot be used', () => {
  const manifestOf = (groups: unknown) => ({ 'manifest.json': JSON.stringify({ version: 1, groups }) });
  const never = async () => {
    throw new Error('No device is needed.');
  };
  const unusable: readonly (readonly [string, Record<string, string>, RegExp])[] = [
    ['is missing', {}, /^Cannot read manifest\.json of the fixtures in memory/],
    ['is not JSON', { 'manifest.json': '{"groups": [' }, /^manifest\.json in memory is not JSON/],
    ['has another version', { 'manifest.json': '{"version": 2, "groups": []}' }, /version/],
    ['lacks the cases', manifestOf([{ name: 'sums', file: 'sums.safetensors' }]), /groups\.0\.cases/],
    ['reaches out of the folder', manifestOf([{ name: 'x', file: '../x', cases: [] }]), /inside the folder/],
  ];
  for (const [what, files, message] of unusable) {
    it(`${what}: one sentence says so`, async () => {
      await expect(runFixtures(memorySource(files), never)).rejects.toThrow(message);
    });
  }
});
