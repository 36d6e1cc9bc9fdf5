import { existsSync, statSync } from 'node:fs';
import { openTensorFile } from '../io/openTensors.node.ts';
import { publishedWeights } from '../io/publishedWeights.ts';
import { findWeights } from '../io/weightsCache.node.ts';
import { BertEncoder } from '../models/bert.ts';
import { GroundingModel } from '../models/grounding.ts';
import { ResNet } from '../models/resnet.ts';
import {
  isComplete,
  type MatchOptions,
  type MatchReport,
  matchTensors,
  stateShapes,
  type TensorCatalog,
} from '../nn/match.ts';
import type { RunConfig } from '../train/config.ts';
import { presets } from '../train/presets.ts';
import { openRunFolder } from '../train/runFolder.node.ts';
import { towerOptions } from '../train/weights.node.ts';
import { UsageError } from './common.ts';
import { runConfigOf } from './configFlags.ts';

export interface LoadFlags {
  readonly into: string;
  readonly allowMissing?: boolean;
  readonly json?: boolean;
}

type Shapes = ReadonlyMap<string, readonly number[]>;

interface Target {
  readonly shapes: Shapes;
  /** What a file may be meant for: the whole model, or one of its towers. */
  readonly parts: readonly { readonly name: string; readonly options: MatchOptions }[];
}

function groundingTarget(config: RunConfig): Target {
  const part = (name: string, target: string) => ({ name, options: towerOptions(config, target) });
  return {
    shapes: stateShapes(new GroundingModel(config.model)),
    parts: [part('the whole model', ''), part('the image tower', 'visual.'), part('the text tower', 'bert.')],
  };
}

function targetOf(into: string): Target {
  const single = (name: string, shapes: Shapes): Target => ({
    shapes,
    parts: [{ name, options: { foldChannels: true } }],
  });
  if (into === 'resnet50') return single('ResNet-50', stateShapes(new ResNet()));
  if (into === 'bert-base') return single('BERT-base', stateShapes(new BertEncoder()));
  if (Object.hasOwn(presets, into)) return groundingTarget(runConfigOf({ preset: into }));
  if (!existsSync(into)) {
    throw new UsageError(
      `--into ${into}: expected resnet50, bert-base, a preset (${Object.keys(presets).join(', ')}), a run folder or a JSON file.`,
    );
  }
  return groundingTarget(statSync(into).isDirectory() ? openRunFolder(into).config : runConfigOf({ config: into }));
}

/** The part that takes the most of the file, and leaves the least of itself empty. */
function bestPart({ shapes, parts }: Target, file: TensorCatalog): { name: string; report: MatchReport } {
  const results = parts.map(({ name, options }) => ({ name, report: matchTensors(shapes, file, options).report }));
  const [best] = results.sort(
    (a, b) => b.report.matched.length - a.report.matched.length || a.report.missing.length - b.report.missing.length,
  );
  if (!best) throw new UsageError('There is nothing to load into.');
  return best;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}: ${lines.length}`, ...lines.map((line) => `  ${line}`)];
}

function describe(path: string, format: string, part: string, report: MatchReport): string[] {
  const { matched, folded, missing, unexpected, ignored, mismatched } = report;
  const shape = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`;
  return [
    `${path} (${format}) into ${part}. Tried out, nothing was loaded.`,
    `Matched: ${matched.length}`,
    ...section('Of these fitted to another number of input channels', folded),
    ...section('Missing in the file', missing),
    ...section(
      'Of another shape',
      mismatched.map(
        ({ name, source, expected, found }) => `${source}: ${shape(found)}, ${name} expects ${shape(expected)}`,
      ),
    ),
    ...section('Not used by the model', unexpected),
    `Left out as usual (counters, position ids, heads): ${ignored.length}`,
  ];
}

/** Which of a published model's files is meant. */
function roleOf(given: string, into: string): 'bert' | 'resnet' {
  const files = publishedWeights[given]?.files ?? [];
  return into === 'bert-base' || !files.some(({ role }) => role === 'resnet') ? 'bert' : 'resnet';
}

/** `groundray weights load` */
export function load(given: string, flags: LoadFlags): void {
  const target = targetOf(flags.into);
  using file = openTensorFile(findWeights(given, roleOf(given, flags.into), (message) => new UsageError(message)));
  const { name, report } = bestPart(target, file);
  const complete = isComplete(report);
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ file: file.file, into: name, complete, ...report }, null, 2)}\n`);
  } else process.stdout.write(`${describe(file.file, file.format, name, report).join('\n')}\n`);
  if (complete || flags.allowMissing) return;
  process.exitCode = 1;
  process.stderr.write(
    `${report.missing.length + report.mismatched.length} tensors of ${name} would keep their random start. ` +
      'If that is wanted, say --allow-missing (--allow-missing-weights when training).\n',
  );
}
