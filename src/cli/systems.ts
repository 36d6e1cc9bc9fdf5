import { readFileSync } from 'node:fs';
import { createTokenizer, parseVocabulary, type WordPieceTokenizer } from '../data/text/tokenizer.ts';
import type { GroundedPhrase } from '../data/types.ts';
import type { Localizer } from '../eval/localizer.ts';
import { negatedFinding, swapSides } from '../eval/probes.ts';
import { bioVilLocalizer } from '../eval/systems/bioVil.ts';
import { type Finding, findingOf, parseFindings } from '../eval/systems/findings.ts';
import { gloriaLocalizer } from '../eval/systems/gloria.ts';
import type { GloriaMap } from '../eval/systems/gloriaMaps.ts';
import { medKlipLocalizer } from '../eval/systems/medKlip.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { openTensorFile } from '../io/openTensors.node.ts';
import type { TensorFile } from '../io/tensorFile.ts';
import type { BertConfig } from '../models/bert.ts';
import { bioVilConfig, bioVilNames, loadBioVil } from '../models/systems/bioVil.ts';
import { gloriaConfig, gloriaNames, loadGloria } from '../models/systems/gloria.ts';
import { loadMedKlip, medKlipConfig, medKlipNames } from '../models/systems/medKlip.ts';
import { publishedWeights, type WeightFile } from '../models/systems/published.ts';
import type { ParameterArena } from '../nn/arena.ts';
import { UsageError } from './common.ts';
import { findingsDisplay } from './findingsProgress.ts';
import type { SystemFlags, SystemName } from './systemFlags.ts';

/** A published system whose files were found and read as far as that goes without a device. */
export interface PreparedSystem {
  /** As it is written. */
  readonly name: string;
  readonly tokenizer: WordPieceTokenizer;
  /** Most tokens of a phrase. */
  readonly maxTokens: number;
  /** What its similarities are, for the line under a result. */
  readonly similarity: string;
  /** @throws DataError for a phrase that it cannot look for. */
  checkPhrase(phrase: string): void;
  /** Says to which finding phrases belong that don't name it. @throws DataError for one that it cannot look for. */
  useCategories(phrases: readonly GroundedPhrase[]): void;
  /** Loads it; the arena owns its parameters and is disposed by the caller. @throws ShapeError for other weights. */
  open(gpu: Gpu, signal?: AbortSignal): Promise<OpenedSystem>;
}

export interface OpenedSystem {
  readonly localizer: Localizer;
  readonly arena: ParameterArena;
}

const spelled: Readonly<Record<SystemName, string>> = { gloria: 'GLoRIA', biovil: 'BioViL', medklip: 'MedKLIP' };

/** What has to be named with `--weights`. */
const weightsOf: Readonly<Record<SystemName, string>> = {
  gloria: 'chexpert_resnet50.ckpt',
  biovil: 'biovil_image_resnet50_proj_size_128.pt and the weights of BiomedVLP-CXR-BERT-specialized',
  medklip: "MedKLIP's checkpoint and the weights of Bio_ClinicalBERT, which it is not complete without",
};

/**
 * Checks the flags of `--system` and reads its files as far as that goes without a device.
 * @throws UsageError, DataError, TensorFileError or ShapeError
 */
export function prepareSystem(system: SystemName, flags: SystemFlags): PreparedSystem {
  const name = spelled[system];
  if (!flags.weights || flags.weights.length === 0) {
    throw new UsageError(`--system ${system} needs --weights <files...>: ${weightsOf[system]}.`);
  }
  if (flags.vocab === undefined) {
    throw new UsageError(`--system ${system} needs --vocab <file>: the vocab.txt that its BERT was published with.`);
  }
  if (flags.map !== undefined && system !== 'gloria') {
    throw new UsageError(`--map belongs to --system gloria; ${name} has one kind of map.`);
  }
  if (flags.findings !== undefined && system !== 'medklip') {
    throw new UsageError(`--findings belongs to --system medklip; ${name} reads any phrase.`);
  }
  const tokenizer = createTokenizer({ vocabulary: parseVocabulary(readText('--vocab', flags.vocab), flags.vocab) });
  const findings = system === 'medklip' ? readFindings(flags.findings) : [];
  const files = flags.weights.map(openWeights);
  const text = textConfig[system](files);
  if (tokenizer.vocabularySize !== text.vocabulary) {
    throw new UsageError(
      `--vocab ${flags.vocab} has ${tokenizer.vocabularySize} pieces, but the weights embed ${text.vocabulary}: it is not the vocabulary of this BERT.`,
    );
  }
  const particular = {
    gloria: () => prepareGloria(files, tokenizer, flags.map),
    biovil: () => prepareBioVil(files, tokenizer),
    medklip: () => prepareMedKlip(files, tokenizer, findings),
  }[system]();
  return {
    name,
    tokenizer,
    maxTokens: Math.min(128, text.maxPositions),
    ...particular,
    async open(gpu, signal) {
      try {
        return await particular.open(gpu, signal);
      } finally {
        for (const { tensors } of files) tensors.close();
      }
    },
  };
}

/** The text tower that a system's weights are for, read from their shapes. */
const textConfig: Readonly<Record<SystemName, (files: readonly WeightFile[]) => BertConfig>> = {
  gloria: (files) => gloriaConfig(publishedWeights(gloriaNames, files)).text,
  biovil: (files) => bioVilConfig(publishedWeights(bioVilNames, files)).text,
  medklip: (files) => medKlipConfig(publishedWeights(medKlipNames, files)).text,
};

/** What is particular to a system. */
type Particular = Omit<PreparedSystem, 'name' | 'tokenizer' | 'maxTokens'>;

/** Any phrase is as good as another. */
const freeText = { checkPhrase: () => undefined, useCategories: () => undefined };

function prepareGloria(
  files: readonly WeightFile[],
  tokenizer: WordPieceTokenizer,
  map: GloriaMap = 'attention',
): Particular {
  return {
    ...freeText,
    similarity: map === 'attention' ? 'largest attention weight of any word; those of a word sum to 1' : 'cosine',
    async open(gpu) {
      const { model, arena } = await loadGloria(gpu, files);
      return { localizer: gloriaLocalizer(gpu, model, tokenizer, { map }), arena };
    },
  };
}

function prepareBioVil(files: readonly WeightFile[], tokenizer: WordPieceTokenizer): Particular {
  return {
    ...freeText,
    similarity: 'cosine',
    async open(gpu) {
      const { model, arena } = await loadBioVil(gpu, files);
      return { localizer: bioVilLocalizer(gpu, model, tokenizer), arena };
    },
  };
}

function prepareMedKlip(
  files: readonly WeightFile[],
  tokenizer: WordPieceTokenizer,
  findings: readonly Finding[],
): Particular {
  const names = findings.map((finding) => finding.name);
  const categories = new Map<string, string>();
  const categoryOf = (phrase: string) => categories.get(phrase);
  return {
    similarity: 'attention weight; the weights of a finding sum to 1 over the image',
    checkPhrase: (phrase) => void findingOf(phrase, names),
    useCategories(phrases) {
      for (const phrase of phrases) {
        findingOf(phrase.phrase, names, phrase.category);
        // The probes of an evaluation ask for these too.
        const texts = [phrase.phrase, swapSides(phrase.phrase) ?? phrase.phrase, negatedFinding(phrase)];
        for (const text of texts) if (!categories.has(text)) categories.set(text, phrase.category);
      }
    },
    async open(gpu, signal) {
      const { model, arena } = await loadMedKlip(gpu, files);
      const display = findingsDisplay();
      try {
        const options = { findings, categoryOf, onDescribed: display.advance, ...(signal ? { signal } : {}) };
        return { localizer: await medKlipLocalizer(gpu, model, tokenizer, options), arena };
      } catch (error) {
        arena.dispose();
        throw error;
      } finally {
        display.done();
      }
    },
  };
}

function readFindings(path: string | undefined): Finding[] {
  if (path === undefined) {
    throw new UsageError(
      '--system medklip needs --findings <file>: its "observation explanation.json", whose descriptions are its queries.',
    );
  }
  return parseFindings(readText('--findings', path), path);
}

interface OpenFile extends WeightFile {
  readonly tensors: TensorFile;
}

function openWeights(path: string): OpenFile {
  return { name: path, tensors: openTensorFile(path) };
}

function readText(flag: string, path: string): string {
  return read(flag, path).toString('utf8');
}

function read(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`${flag} ${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}
