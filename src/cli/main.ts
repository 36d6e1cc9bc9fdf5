#!/usr/bin/env node
import { Command } from 'commander';
import { registerCommands } from './commands.ts';

const program = new Command('groundray').description(
  'Phrase grounding on chest X-rays, trained in TypeScript on WebGPU. Research use only, not for diagnosis.',
);
registerCommands(program);
await program.parseAsync();
