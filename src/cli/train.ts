import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { tuneModes } from '../kernels/tuning/plans.ts';
import { adapterChoices, command } from './common.ts';
import type { TrainFlags } from './trainCommand.ts';

/** A flag that takes a number; commander shows the sentence. */
function number(value: string): number {
  const parsed = Number(value);
  if (value.trim() === '' || !Number.isFinite(parsed)) throw new InvalidArgumentError('It is not a number.');
  return parsed;
}

export function registerTrain(program: Command): void {
  program
    .command('train')
    .description('train a model; without options a small one on synthetic radiographs')
    .option('--preset <name>', 'phantom-mini (default), phantom or paper')
    .option('--config <file>', 'JSON with any fields of config.json, over the preset')
    .option('--data <data>', 'a folder with a manifest.csv, an index.jsonl, or <corpus>:<folder> (see groundray index)')
    .option('--out <folder>', 'folder of the run (default: runs/<preset>-<time>)')
    .option('--resume [folder]', 'continue a run (default: the latest below runs/)')
    .option('--seed <n>', 'seed of parameters, order and augmentation', number)
    .option('--steps <n>', 'optimizer steps', number)
    .option('--epochs <n>', 'epochs, instead of steps', number)
    .option('--batch <n>', 'image-report pairs per step', number)
    .option('--chunk <n>', 'pairs that are encoded at a time: large batches in little memory', number)
    .option('--checkpointing <mode>', 'blocks: compute activations twice instead of keeping them; or none')
    .option('--precision <kind>', 'mixed: keep activations in 16 bits (hardware that has them); or f32')
    .option('--lr <rate>', 'learning rate', number)
    .option('--image-size <pixels>', 'side of the model input', number)
    .option('--objective <name>', 'sentence-local, word-local, global or sentence-mean')
    .option('--vocab <file>', 'vocab.txt of the text model, or a fetched name such as bio-clinical-bert')
    .option('--bert <file>', 'BERT weights to start from (safetensors, .bin, .ckpt), or a fetched name')
    .option('--resnet <file>', 'ResNet weights to start from (safetensors, .pth, .ckpt), or a fetched name')
    .option('--allow-missing-weights', 'start from random numbers where these files lack a tensor')
    .option('--gpu', 'demand a hardware adapter')
    .addOption(new Option('--adapter <kind>', 'which processor runs the kernels').choices(adapterChoices))
    .option('--checks', "keep WebGPU's validation and bounds checks on while training")
    .addOption(
      new Option('--tune <mode>', 'on: measure the fastest kernels first; cached: use those known; off').choices(
        tuneModes,
      ),
    )
    .option('--memory <size>', 'memory of the graphics card, e.g. 8GiB: refuses what does not fit, and says what would')
    .option('--no-evaluate', 'stop after training')
    .action(
      command(async (flags: TrainFlags) => {
        const { train } = await import('./trainCommand.ts');
        await train(flags);
      }),
    );
}
