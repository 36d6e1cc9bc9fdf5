import type { Command } from 'commander';
import { Option } from 'commander';
import { nominalProfiles } from '../train/deviceProfiles.ts';
import { command } from './common.ts';
import { numberBetween, wholeNumber } from './flags.ts';
import type { PlanFlags } from './planCommand.ts';

export function registerPlan(program: Command): void {
  program
    .command('plan')
    .description('print the memory and time that a training step takes, without a GPU')
    .option('--preset <name>', 'phantom-mini (default), phantom or paper')
    .option('--config <file>', 'JSON with any fields of config.json, over the preset')
    .option('--data <data>', 'count its studies and words: a folder, an index.jsonl, or <corpus>:<folder>')
    .option('--batch <n>', 'image-report pairs per step', wholeNumber(1))
    .option('--chunk <n>', 'pairs that are encoded at a time', wholeNumber(1))
    .option('--checkpointing <mode>', 'blocks: compute activations twice instead of keeping them; or none')
    .option('--precision <kind>', 'mixed: keep activations in 16 bits (hardware that has them); or f32')
    .option('--image-size <pixels>', 'side of the model input', wholeNumber(1))
    .option('--objective <name>', 'sentence-local, word-local, global or sentence-mean')
    .option('--vocab <file>', 'vocab.txt of the text model')
    .option('--sentences <n>', 'sentences of the longest report in a batch', wholeNumber(1))
    .option('--memory <size>', 'find the settings that fit, e.g. 8GiB')
    .addOption(
      new Option('--device <name>', 'whose speed to assume (default: all of them)').choices(
        nominalProfiles.map(({ name }) => name),
      ),
    )
    .option('--roofline <file>', 'JSON of a benchmark: the speed that was measured there')
    .option('--efficiency <share>', 'share of that speed which a step reaches', numberBetween(0.01, 1))
    .option('--json', 'print JSON')
    .action(
      command(async (flags: PlanFlags) => {
        const { plan } = await import('./planCommand.ts');
        await plan(flags);
      }),
    );
}
