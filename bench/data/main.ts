/**
 * Images per second that training gets: decoded from the source each time, and from shards in their order and shuffled.
 * `npm run bench:data -- --data <folder> --shards <folder>`, on data of the user's own and shards prepared from it.
 */
import { Command } from 'commander';
import { command } from '../../src/cli/common.ts';
import { wholeNumber } from '../../src/cli/flags.ts';
import { openDataset } from '../../src/data/open.node.ts';
import { preprocess } from '../../src/data/preprocess.ts';
import { createRandom } from '../../src/data/random.ts';
import { parseDataFlag } from '../../src/data/spec.node.ts';
import type { Dataset } from '../../src/data/types.ts';

interface Flags {
  readonly data: string;
  readonly shards: string;
  readonly imageSize: number;
  readonly images: number;
  readonly seconds: number;
}

/** Loads a batch of 32 at a time, as training does, until the images or the seconds are used up. */
async function rate(dataset: Dataset, ids: readonly string[], { imageSize, seconds }: Flags): Promise<string> {
  const begin = performance.now();
  let done = 0;
  while (done < ids.length && performance.now() - begin < seconds * 1000) {
    const batch = ids.slice(done, done + 32);
    await Promise.all(batch.map(async (id) => preprocess(await dataset.loadImage(id), imageSize)));
    done += batch.length;
  }
  const elapsed = (performance.now() - begin) / 1000;
  return `${(done / elapsed).toFixed(1).padStart(8)} images/s (${done} in ${elapsed.toFixed(2)} s)`;
}

async function run(flags: Flags): Promise<void> {
  const [source, shards] = [
    await openDataset(parseDataFlag(flags.data)),
    await openDataset(parseDataFlag(flags.shards)),
  ];
  const ids = shards.studies.slice(0, flags.images).map(({ id }) => id);
  const shuffled = createRandom(0).shuffle(ids);
  const print = (what: string, text: string): void => void process.stdout.write(`${what.padEnd(28)}${text}\n`);
  // Untimed, so that compiling the code does not count.
  for (const dataset of [source, shards]) for (const id of ids.slice(0, 4)) preprocess(await dataset.loadImage(id), 8);
  print('source, decoded each time', await rate(source, shuffled, flags));
  print('shards, first reading', await rate(shards, ids, flags));
  print('shards, in their order', await rate(shards, ids, flags));
  print('shards, shuffled', await rate(shards, shuffled, flags));
}

await new Command('bench:data')
  .description('images per second from a data set and from the shards prepared of it, on one thread')
  .requiredOption('--data <folder>', 'the source')
  .requiredOption('--shards <folder>', 'what groundray prepare made of it')
  .option('--image-size <pixels>', 'frame to bring the images to', wholeNumber(1), 256)
  .option('--images <n>', 'most images to read', wholeNumber(1), 2000)
  .option('--seconds <n>', 'most seconds per line', wholeNumber(1), 60)
  .action(command(run))
  .parseAsync();
