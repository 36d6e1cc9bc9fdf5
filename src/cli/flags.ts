import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AdapterChoice, adapterChoices } from './common.ts';

/** Flags that choose the processor, as commander gives them. */
export interface AdapterFlags {
  readonly gpu?: boolean;
  readonly adapter?: AdapterChoice;
}

/** Adds `--gpu` and `--adapter`. */
export function withAdapterFlags(command: Command): Command {
  return command
    .option('--gpu', 'demand a hardware adapter')
    .addOption(new Option('--adapter <kind>', 'which processor runs the kernels').choices(adapterChoices));
}

export function adapterOf({ gpu, adapter }: AdapterFlags): AdapterChoice {
  return gpu ? 'gpu' : (adapter ?? 'auto');
}

/** Parser of a flag that takes a whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a whole number of ${least} or more.`);
  };
}

/** Parser of a flag that takes a number between two bounds, these included. */
export function numberBetween(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`Expected a number from ${low} to ${high}.`);
  };
}
