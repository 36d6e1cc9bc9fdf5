import { existsSync, statSync } from 'node:fs';
import { Presets, SingleBar } from 'cli-progress';
import { buildIndex, droppedFile, type IndexSummary } from '../data/corpora/buildIndex.node.ts';
import type { SectionChoice, ViewChoice } from '../data/corpora/filters.ts';
import { corpusNamed } from '../data/corpora/registry.node.ts';
import { RESEARCH_NOTICE } from '../eval/notice.ts';
import { formatDuration, UsageError } from './common.ts';
import { interruptSignal } from './interrupt.ts';

/** Flags of `groundray index`, as commander gives them. */
export interface IndexFlags {
  readonly root: string;
  readonly out: string;
  readonly images?: string;
  readonly reports?: string;
  readonly splitFile?: string;
  readonly checkImages?: boolean;
  readonly views: ViewChoice;
  readonly minWords: number;
  readonly sections: SectionChoice;
  readonly json?: boolean;
}

/** `groundray index` */
export async function indexCorpus(name: string, flags: IndexFlags): Promise<void> {
  const { root, out, views, minWords, sections, images, reports, splitFile, checkImages } = flags;
  const { description } = corpusNamed(name);
  if (existsSync(out) && statSync(out).isDirectory()) {
    throw new UsageError(`--out ${out} is a folder; give the name of a file, e.g. ${out}/index.jsonl.`);
  }
  const location = {
    root,
    ...(images === undefined ? {} : { images }),
    ...(reports === undefined ? {} : { reports }),
    ...(splitFile === undefined ? {} : { splitFile }),
    ...(checkImages ? { checkImages } : {}),
  };
  if (!flags.json) process.stdout.write(`${name}: ${description}\n`);
  const display = stageDisplay();
  const { signal, dispose } = interruptSignal('Stopping; an older index stays as it is.');
  try {
    const options = { signal, onProgress: display.update };
    const summary = await buildIndex(name, location, out, { views, minWords, sections }, options);
    display.stop();
    const text = flags.json ? JSON.stringify(summary, null, 2) : summaryLines(summary, out).join('\n');
    process.stdout.write(`${text}\n`);
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = 130;
    process.stderr.write('Stopped; no index was written.\n');
  } finally {
    display.stop();
    dispose();
  }
}

/** A bar for the stage under way, on stderr; a line now and then where that is no terminal. */
function stageDisplay() {
  const isTerminal = process.stderr.isTTY === true;
  const bar = new SingleBar(
    { format: '{stage} {bar} {percentage} % | {left} left', hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  let current = '';
  let begin = 0;
  let shown = 0;
  return {
    update(stage: string, done: number, total: number): void {
      const now = performance.now();
      if (stage !== current) {
        if (isTerminal && current === '') bar.start(total, done, { stage, left: '?' });
        [current, begin, shown] = [stage, now, isTerminal ? 0 : now];
      }
      if (now - shown < (isTerminal ? 100 : 15_000) && done < total) return;
      const left = formatDuration(((now - begin) / Math.max(1, done)) * (total - done));
      if (isTerminal) {
        bar.setTotal(total);
        bar.update(done, { stage, left });
      } else if (now - shown >= 15_000) {
        process.stderr.write(`${stage}: ${Math.floor((100 * done) / total)} %, ${left} left\n`);
      }
      shown = now;
    },
    stop(): void {
      bar.stop();
    },
  };
}

const count = (value: number): string => value.toLocaleString('en');

function summaryLines(summary: IndexSummary, out: string): string[] {
  const { found, kept, splits, views, phrases, categories, withoutRegion, dropped, notes } = summary;
  const reasons = Object.entries(dropped).sort((a, b) => b[1] - a[1]);
  const left = reasons.reduce((sum, [, number]) => sum + number, 0);
  const classes = Object.entries(categories).sort((a, b) => b[1] - a[1]);
  const target = /[^\w./-]/.test(out) ? `"${out}"` : out;
  return [
    ...notes,
    `Found ${count(found)} images (${count(views.frontal)} frontal, ${count(views.lateral)} lateral, ${count(views.unknown)} of unknown view), ` +
      `kept ${count(kept)}: ${count(splits.train)} training, ${count(splits.validation)} validation, ${count(splits.test)} test`,
    ...(phrases > 0
      ? [
          `Phrases with regions: ${count(phrases)} (${classes.map(([category, number]) => `${category} ${count(number)}`).join(', ')}); ` +
            `${count(withoutRegion)} images without one (empty ground truth)`,
        ]
      : []),
    ...(left > 0 ? [`Left out ${count(left)}, listed in ${droppedFile(out)}:`] : ['Nothing was left out.']),
    ...reasons.map(([reason, number]) => `  ${count(number).padStart(8)}  ${reason}`),
    phrases > 0
      ? `Index: ${out}; evaluate on it with: groundray evaluate --data ${target}`
      : `Index: ${out}; train on it with: groundray train --preset paper --data ${target}`,
    RESEARCH_NOTICE,
  ];
}
