import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { phantomVocabulary } from '../data/phantom/vocabulary.ts';
import { selectReportText } from '../data/text/sections.ts';
import { createTokenizer, parseVocabulary, type WordPieceTokenizer } from '../data/text/tokenizer.ts';
import { buildVocabulary } from '../data/text/vocabulary.ts';
import type { Dataset, Study } from '../data/types.ts';
import { writeFileAtomic } from '../io/atomic.node.ts';
import { findWeights } from '../io/weightsCache.node.ts';
import { parseRunConfig, type RunConfig } from './config.ts';
import { ConfigError } from './errors.ts';

const configFile = 'config.json';
const vocabularyFile = 'vocab.txt';

/** A run's configuration and tokenizer, as they lie in its folder. */
export interface RunDescription {
  readonly folder: string;
  readonly config: RunConfig;
  readonly tokenizer: WordPieceTokenizer;
}

/** Word pieces of a run: of its file, of the phantoms, or built from the training studies. @throws ConfigError if there is no such file. */
export function vocabularyOf(config: RunConfig, studies: readonly Study[]): readonly string[] {
  if (config.vocabulary !== undefined) {
    const path = findWeights(config.vocabulary, 'vocabulary', (message) => new ConfigError(message));
    if (!existsSync(path)) {
      throw new ConfigError(`${path}: expected a vocab.txt with one word piece a line, found nothing.`);
    }
    return parseVocabulary(readFileSync(path, 'utf8'), path);
  }
  if (config.data.kind === 'phantom') return phantomVocabulary();
  const texts = studies.filter(({ split }) => split === 'train').map(({ report }) => selectReportText(report));
  return buildVocabulary(texts);
}

/** Describes a new run without writing anything yet (see `writeRunFolder`). @throws ConfigError if the folder is taken. */
export function newRun(folder: string, given: RunConfig, dataset: Dataset): RunDescription {
  if (existsSync(join(folder, configFile))) {
    throw new ConfigError(
      `${folder} holds a run already: continue it with --resume ${folder}, or choose another --out.`,
    );
  }
  const vocabulary = vocabularyOf(given, dataset.studies);
  const { model } = given;
  const config = { ...given, model: { ...model, text: { ...model.text, vocabulary: vocabulary.length } } };
  return { folder, config, tokenizer: createTokenizer({ vocabulary, lowerCase: config.lowerCase }) };
}

/** Makes the folder of a run with its vocabulary and, last, its configuration; leaves one that exists as it is. */
export async function writeRunFolder({ folder, config, tokenizer }: RunDescription): Promise<void> {
  if (existsSync(join(folder, configFile))) return;
  mkdirSync(folder, { recursive: true });
  await writeFileAtomic(join(folder, vocabularyFile), `${tokenizer.spec.vocabulary.join('\n')}\n`);
  await writeFileAtomic(join(folder, configFile), `${JSON.stringify(config, null, 2)}\n`);
}

/** Reads the folder of a run. @throws ConfigError if there is none, or it was changed by hand into something else. */
export function openRunFolder(folder: string): RunDescription {
  const path = join(folder, configFile);
  if (!existsSync(path)) {
    throw new ConfigError(`${folder}: expected the folder of a training run with a ${configFile}, found none.`);
  }
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConfigError(`${path} is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const config = parseRunConfig(json, path);
  const words = join(folder, vocabularyFile);
  if (!existsSync(words)) throw new ConfigError(`${words} is missing; a run cannot be used without its vocabulary.`);
  const vocabulary = parseVocabulary(readFileSync(words, 'utf8'), words);
  return { folder, config, tokenizer: createTokenizer({ vocabulary, lowerCase: config.lowerCase }) };
}

/** The run below `root` that was written to last. @throws ConfigError if there is none. */
export function latestRun(root: string): string {
  const runs = existsSync(root)
    ? readdirSync(root)
        .map((name) => join(root, name))
        .filter((folder) => existsSync(join(folder, configFile)))
        .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
    : [];
  const [latest] = runs;
  if (!latest) throw new ConfigError(`There is no training run in ${root} yet: start one with \`npm run train\`.`);
  return latest;
}
