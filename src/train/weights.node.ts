import { readFileSync } from 'node:fs';
import { readSafetensors } from '../io/safetensors.ts';
import type { ParameterArena } from '../nn/arena.ts';
import { loadStateDict } from '../nn/checkpoint.ts';
import type { RunConfig } from './config.ts';
import { ConfigError } from './errors.ts';

/**
 * Loads the published weights that a configuration names into the towers. Returns one line per file that says what
 * matched. @throws ConfigError if a file cannot be read or nothing in it fits.
 */
export function loadStartWeights(config: RunConfig, arena: ParameterArena): string[] {
  const files = [
    { path: config.weights.visual, tower: 'visual.' },
    { path: config.weights.text, tower: 'bert.' },
  ];
  return files.flatMap(({ path, tower }) => {
    if (path === undefined) return [];
    let bytes: Uint8Array;
    try {
      bytes = new Uint8Array(readFileSync(path));
    } catch (error) {
      throw new ConfigError(`The weights ${path} cannot be read: ${error instanceof Error ? error.message : error}`);
    }
    const report = loadStateDict(arena, readSafetensors(bytes, path), { target: tower });
    if (report.matched.length === 0) {
      throw new ConfigError(`${path} has no tensor that fits the ${tower.replace('.', '')} tower of this model.`);
    }
    return [
      `${path}: ${report.matched.length} tensors loaded, ${report.missing.length} missing, ` +
        `${report.unexpected.length} not used, ${report.mismatched.length} of another shape.`,
    ];
  });
}
