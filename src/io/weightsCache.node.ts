import { existsSync } from 'node:fs';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { addressOf, type PublishedFile, type PublishedRole, publishedWeights } from './publishedWeights.ts';

/** Folder of fetched weights: `GROUNDRAY_WEIGHTS`, or `weights` in the user's cache folder. */
export function weightsCache(): string {
  return process.env.GROUNDRAY_WEIGHTS ?? join(envPaths('groundray', { suffix: '' }).cache, 'weights');
}

export function cachedPath(name: string, file: PublishedFile, cache = weightsCache()): string {
  return join(cache, name, file.name);
}

/**
 * Path of weights or a vocabulary that a user named: a file as it is, a published name (`bio-clinical-bert`) as the file
 * that was fetched for it. Nothing is downloaded here.
 * @throws `problem` of a sentence that says how to get a published file that is not there.
 */
export function findWeights(given: string, role: PublishedRole, problem: (message: string) => Error): string {
  const known = Object.hasOwn(publishedWeights, given) ? publishedWeights[given] : undefined;
  if (!known || existsSync(given)) return given;
  const file = known.files.find((candidate) => candidate.role === role);
  if (!file) throw problem(`The published weights ${given} have no ${role} file.`);
  const path = cachedPath(given, file);
  if (existsSync(path)) return path;
  throw problem(
    `${given} was not fetched yet: run \`npm run weights -- fetch ${given}\`, or put ${addressOf(file)} at ${path}.`,
  );
}
