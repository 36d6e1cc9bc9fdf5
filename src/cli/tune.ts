import type { Command } from 'commander';
import { command } from './common.ts';
import { wholeNumber, withAdapterFlags } from './flags.ts';
import type { TuneFlags } from './tuneCommand.ts';

export function registerTune(program: Command): void {
  withAdapterFlags(
    program
      .command('tune')
      .description('find the fastest kernels for the matrix products of a training step, and keep the choice')
      .option('--preset <name>', 'phantom-mini (default), phantom or paper')
      .option('--config <file>', 'JSON with any fields of config.json, over the preset')
      .option('--batch <n>', 'image-report pairs per step', wholeNumber(1))
      .option('--chunk <n>', 'pairs that are encoded at a time', wholeNumber(1))
      .option('--checkpointing <mode>', 'blocks or none')
      .option('--precision <kind>', 'mixed: activations in 16 bits (hardware that has them); or f32')
      .option('--image-size <pixels>', 'side of the model input', wholeNumber(1))
      .option('--objective <name>', 'sentence-local, word-local, global or sentence-mean')
      .option('--sentences <n>', 'sentences of the longest report of a batch', wholeNumber(1))
      .option('--again', 'measure those products again that are known')
      .option('--json <file>', 'write what was found there too'),
  ).action(
    command(async (flags: TuneFlags) => {
      const { tune } = await import('./tuneCommand.ts');
      await tune(flags);
    }),
  );
}
