import { type Command, Option } from 'commander';
import { type GloriaMap, gloriaMaps } from '../eval/systems/gloriaMaps.ts';
import { UsageError } from './common.ts';

/** Published systems that can stand in the place of a run. */
export const systemNames = ['gloria', 'biovil', 'medklip'] as const;
export type SystemName = (typeof systemNames)[number];

/** Flags that name a published system and its files, as commander gives them. */
export interface SystemFlags {
  readonly system?: SystemName;
  readonly weights?: readonly string[];
  readonly vocab?: string;
  readonly findings?: string;
  readonly map?: GloriaMap;
}

/** Adds `--system` and the flags of its files. */
export function withSystemFlags(command: Command): Command {
  return command
    .addOption(new Option('--system <name>', 'a published system instead of a run').choices(systemNames))
    .option('--weights <files...>', 'with --system: its weights, image and text part where they are two files')
    .option('--vocab <file>', 'with --system: vocab.txt of its BERT')
    .option('--findings <file>', 'with --system medklip: its "observation explanation.json"')
    .addOption(
      new Option('--map <form>', 'with --system gloria: what its map shows (default: attention)').choices(gloriaMaps),
    );
}

/** The system that was asked for. @throws UsageError for flags that mean nothing without one. */
export function systemOf(flags: SystemFlags & { readonly report?: string }): SystemName | undefined {
  if (flags.system !== undefined) return flags.system;
  const { weights, vocab, findings, map, report } = flags;
  const given = Object.entries({ weights, vocab, findings, map, report }).find(([, value]) => value !== undefined);
  if (given) throw new UsageError(`--${given[0]} belongs to --system <name>; name one of ${systemNames.join(', ')}.`);
  return undefined;
}
