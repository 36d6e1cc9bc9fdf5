#!/usr/bin/env node
import { Command } from 'commander';
import { MissingPackageError } from '../io/errors.ts';
import { missingPackages } from '../io/optionalPackage.node.ts';
import { registerCommands } from './commands.ts';

const program = new Command('groundray').description(
  'Phrase grounding on chest X-rays, trained in TypeScript on WebGPU. Research use only, not for diagnosis.',
);
registerCommands(program);
// Before a command starts: a run of hours must not end for want of a package that draws its charts.
program.hook('preAction', () => {
  const missing = missingPackages();
  if (missing.length > 0) program.error(new MissingPackageError('The command line', missing).message);
});
await program.parseAsync();
