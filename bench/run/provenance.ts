import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { dawnToggles } from '../../src/gpu/create.node.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { BenchFile } from '../report/schema.ts';

/** Where results come from: everything of the JSON but the results. */
export type Provenance = Omit<BenchFile, 'results' | 'roofline' | 'extra'>;

const root = join(import.meta.dirname, '..', '..');

function versionIn(packageFile: string): string {
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { readonly version: string };
  return version;
}

/** The commit of the working tree, with `+` where it has changes; empty outside of a clone. */
function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short=10', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return '';
  }
}

export function provenanceOf(gpu: Gpu): Provenance {
  const { vendor, architecture, device, description } = gpu.device.adapterInfo;
  const require = createRequire(import.meta.url);
  return {
    format: 'groundray-bench',
    version: 1,
    date: new Date().toISOString(),
    adapter: { kind: gpu.adapter.kind, vendor, architecture, device, description },
    processor: { model: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism() },
    platform: `${process.platform} ${process.arch}`,
    versions: {
      groundray: versionIn(join(root, 'package.json')),
      node: process.version,
      webgpu: versionIn(join(dirname(require.resolve('webgpu')), 'package.json')),
      commit: commit(),
    },
    toggles: dawnToggles(false, gpu.adapter.vendor),
  };
}
