import { Command } from 'commander';
import { vi } from 'vitest';
import { registerEvaluate } from '../../../src/cli/evaluate.ts';
import { registerLocalize } from '../../../src/cli/localize.ts';
import { registerStudy } from '../../../src/cli/study.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in this process, as the shell would, and takes down what it prints and its exit code. */
export async function runCommand(...args: string[]): Promise<CommandResult> {
  const program = new Command().exitOverride();
  for (const register of [registerEvaluate, registerLocalize, registerStudy]) register(program);
  for (const command of program.commands) command.exitOverride();
  const [out, err] = [process.stdout, process.stderr].map((stream) => {
    const parts: string[] = [];
    const spy = vi.spyOn(stream, 'write').mockImplementation((part) => {
      parts.push(String(part));
      return true;
    });
    return { parts, spy };
  });
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    await program.parseAsync(args, { from: 'user' });
    return { code: Number(process.exitCode), stdout: out!.parts.join(''), stderr: err!.parts.join('') };
  } finally {
    process.exitCode = before;
    for (const { spy } of [out!, err!]) spy.mockRestore();
  }
}
