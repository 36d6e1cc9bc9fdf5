import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { DROPPED_FILE, type ShardIndex } from '../data/shards/format.ts';
import { prepare } from '../data/shards/prepare.node.ts';
import { verifyShards } from '../data/shards/verify.node.ts';
import { parseDataFlag } from '../data/spec.node.ts';
import { formatDuration, UsageError } from './common.ts';
import { interruptSignal } from './interrupt.ts';

/** Flags of `groundray prepare`, as commander gives them. */
export interface PrepareFlags {
  readonly data?: string;
  readonly out?: string;
  readonly size: number;
  readonly depth: '8' | '16';
  readonly shardMb: number;
  readonly workers?: number;
  readonly strict?: boolean;
  readonly overwrite?: boolean;
  readonly verify?: string;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** `groundray prepare` */
export async function prepareCommand(flags: PrepareFlags): Promise<void> {
  const { verify, data, out } = flags;
  if (verify !== undefined) {
    if (data !== undefined || out !== undefined)
      throw new UsageError('--verify stands alone, without --data and --out.');
    return runVerify(verify);
  }
  if (data === undefined || out === undefined) {
    throw new UsageError('Expected --data <data> and --out <folder>, or --verify <folder>.');
  }
  const source = parseDataFlag(data);
  if (source.kind === 'shards') {
    throw new UsageError(`--data ${data}: is a prepared folder already. Give the data that it was made of.`);
  }
  const { signal, dispose } = interruptSignal('Stopping; whole shards are kept.');
  const display = progressDisplay('Preparing');
  let done = 0;
  let total = 0;
  let index: ShardIndex;
  let isNew = true;
  try {
    index = await prepare({
      source,
      folder: out,
      size: flags.size,
      depth: flags.depth === '16' ? 16 : 8,
      shardMegabytes: flags.shardMb,
      ...(flags.workers === undefined ? {} : { workers: flags.workers }),
      strict: flags.strict === true,
      overwrite: flags.overwrite === true,
      signal,
      onImage: (progress) => {
        ({ done, total } = progress);
        isNew = progress.kept < total;
        display.update(done, total, progress.kept);
      },
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    display.stop();
    process.exitCode = 130;
    print(`Stopped after ${done} of ${total} images. The same command goes on after the last whole shard.`);
    return;
  } finally {
    display.stop();
    dispose();
  }
  print(isNew ? describe(index, out) : `${out} is complete already; nothing was done.\n${describe(index, out)}`);
}

function describe({ studies, images, phrases, dropped, shards }: ShardIndex, out: string): string {
  const bytes = shards.reduce((sum, { header }) => sum + header.bytes, 0);
  const left = dropped === 0 ? '' : `\n${dropped} items were left out: ${join(out, DROPPED_FILE)} says which and why.`;
  return (
    `${out}: ${studies} studies, ${images} images, ${phrases} phrases in ${shards.length} shards, ` +
    `${(bytes / 2 ** 20).toFixed(1)} MiB.${left}\nTrain on them with --data ${out}. Research use only, not for diagnosis.`
  );
}

async function runVerify(folder: string): Promise<void> {
  if (!existsSync(folder)) throw new UsageError(`--verify ${folder}: there is no such folder.`);
  const { signal, dispose } = interruptSignal('Stopping.');
  const display = progressDisplay('Verifying');
  try {
    const { problems, index } = await verifyShards(folder, {
      signal,
      onImage: (done, total) => display.update(done, total),
    });
    display.stop();
    if (problems.length > 0) {
      process.exitCode = 1;
      print(`${folder}: ${problems.length} ${problems.length === 1 ? 'thing is' : 'things are'} wrong:`);
      for (const problem of problems) print(`- ${problem}`);
    } else if (index) {
      print(`${folder} is sound: ${index.images} images and ${index.phrases} masks, every checksum fits.`);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = 130;
    print('Stopped before everything was read.');
  } finally {
    display.stop();
    dispose();
  }
}

/** A bar on a terminal, a line now and then where stderr is a file. The time left is of what this run does. */
function progressDisplay(what: string): { update(done: number, total: number, kept?: number): void; stop(): void } {
  const isTerminal = process.stderr.isTTY === true;
  const bar = new SingleBar(
    { format: `${what} {bar} {value}/{total} images | {left} left`, hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  let begin: number | undefined;
  let nextLine = 15_000;
  return {
    update(done, total, kept = 0) {
      if (begin === undefined) {
        begin = performance.now();
        if (isTerminal) bar.start(total, done, { left: '?' });
      }
      const elapsed = performance.now() - begin;
      const left = done > kept ? formatDuration((elapsed / (done - kept)) * (total - done)) : '?';
      if (isTerminal) bar.update(done, { left });
      else if (elapsed >= nextLine) {
        process.stderr.write(`${what}: ${done}/${total} images, ${left} left\n`);
        nextLine = elapsed + 15_000;
      }
    },
    stop() {
      bar.stop();
    },
  };
}
