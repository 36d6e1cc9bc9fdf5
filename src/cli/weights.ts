import type { Command } from 'commander';
import { Option } from 'commander';
import { command } from './common.ts';
import type { ConvertFlags } from './weightsConvert.ts';
import type { ExportFlags } from './weightsExport.ts';
import type { FetchFlags } from './weightsFetch.ts';
import type { InspectFlags } from './weightsInspect.ts';
import type { LoadFlags } from './weightsLoad.ts';

/** Collects a flag that may be given several times. */
function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** `groundray weights` and what it can do. */
export function registerWeights(program: Command): void {
  const weights = program
    .command('weights')
    .description('look into, convert, fetch and export weights: safetensors, torch.save (zip or legacy), Lightning');
  weights
    .command('inspect')
    .description('list the tensors of a file; nothing in it is executed')
    .argument('<file>', '.safetensors, .pt, .pth, .bin or .ckpt')
    .option('--json', 'print JSON')
    .action(
      command(async (file: string, flags: InspectFlags) => {
        const { inspect } = await import('./weightsInspect.ts');
        inspect(file, flags);
      }),
    );
  weights
    .command('convert')
    .description('write the tensors of a file as safetensors, one after the other')
    .argument('<in>', '.safetensors, .pt, .pth, .bin or .ckpt')
    .argument('<out>', 'safetensors file to write')
    .addOption(new Option('--dtype <type>', 'convert floating point numbers').choices(['f32', 'f16']))
    .option('--strip <beginning>', 'remove this from the names that begin with it (may be repeated)', collect)
    .option('--prefix <text>', 'put this in front of every name')
    .option('--only <beginning>', 'leave out the tensors whose names do not begin with this')
    .action(
      command(async (from: string, to: string, flags: ConvertFlags) => {
        const { convert } = await import('./weightsConvert.ts');
        await convert(from, to, flags);
      }),
    );
  weights
    .command('load')
    .description('try out which tensors of a file a model would take; nothing is changed')
    .argument('<file>', 'weights, or a fetched name such as bio-clinical-bert')
    .requiredOption('--into <model>', 'resnet50, bert-base, a preset, a run folder or a JSON configuration')
    .option('--allow-missing', 'end with exit code 0 even if tensors are missing')
    .option('--json', 'print the report as JSON')
    .action(
      command(async (file: string, flags: LoadFlags) => {
        const { load } = await import('./weightsLoad.ts');
        load(file, flags);
      }),
    );
  weights
    .command('fetch')
    .description('download published weights into the cache: bio-clinical-bert, bert-tiny, resnet50, biovil')
    .argument('<name>', 'which weights; then say --bert <name>, --resnet <name> or --vocab <name>')
    .option('--cache <folder>', 'where to put them (default: GROUNDRAY_WEIGHTS, or the cache folder of the user)')
    .option('--base-url <address>', 'a mirror that stands for the publishers (default: GROUNDRAY_WEIGHTS_URL, if set)')
    .action(
      command(async (name: string, flags: FetchFlags) => {
        const { fetchWeights } = await import('./weightsFetch.ts');
        await fetchWeights(name, flags);
      }),
    );
  weights
    .command('export')
    .description("write a run's weights as safetensors with PyTorch's names, and a model card beside them")
    .option('--run <folder>', 'folder of a training run (default: the latest below runs/)')
    .requiredOption('--out <file>', 'safetensors file to write')
    .action(
      command(async (flags: ExportFlags) => {
        const { exportWeights } = await import('./weightsExport.ts');
        await exportWeights(flags);
      }),
    );
}
