import * as z from 'zod';
import type { BertConfig } from '../models/bert.ts';
import { ConfigError } from './errors.ts';

const count = z.number().int().positive();

const schema = z.looseObject({
  model_type: z.string().exactOptional(),
  num_attention_heads: count.exactOptional(),
  num_hidden_layers: count.exactOptional(),
  hidden_size: count.exactOptional(),
  vocab_size: count.exactOptional(),
  intermediate_size: count.exactOptional(),
  layer_norm_eps: z.number().positive().exactOptional(),
  hidden_act: z.string().exactOptional(),
  position_embedding_type: z.string().exactOptional(),
  do_lower_case: z.boolean().exactOptional(),
});

/** The `config.json` that Hugging Face publishes beside the weights of a BERT. */
export type BertDescription = z.infer<typeof schema>;

/** Whether a `config.json` is one of Hugging Face's, and not of a run. */
export function isBertDescription(json: unknown): boolean {
  if (typeof json !== 'object' || json === null) return false;
  return ['model_type', 'architectures', 'num_attention_heads'].some((field) => Object.hasOwn(json, field));
}

/** What the encoder can be; other activations and positions would give other features from the same weights. */
const supported = {
  model_type: ['bert', 'cxr-bert'],
  hidden_act: ['gelu'],
  position_embedding_type: ['absolute'],
} as const;

/** @throws ConfigError that names the field, what is expected and what was found. */
export function parseBertDescription(json: unknown, source: string): BertDescription {
  const result = schema.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new ConfigError(`${source}: ${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'is not valid'}.`);
  }
  for (const field of ['model_type', 'hidden_act', 'position_embedding_type'] as const) {
    const found = result.data[field];
    const expected: readonly string[] = supported[field];
    if (found === undefined || expected.includes(found)) continue;
    throw new ConfigError(`${source}: ${field}: expected ${expected.join(' or ')}, found ${found}.`);
  }
  return result.data;
}

/** `config` with what only the description says. @throws ConfigError if it describes weights of other sizes. */
export function describedBert(config: BertConfig, description: BertDescription, source: string): BertConfig {
  const sizes = [
    ['hidden_size', config.hidden],
    ['num_hidden_layers', config.layers],
    ['intermediate_size', config.intermediate],
    ['vocab_size', config.vocabulary],
  ] as const;
  for (const [field, found] of sizes) {
    const expected = description[field];
    if (expected === undefined || expected === found) continue;
    throw new ConfigError(
      `${source}: ${field} is ${expected}, the weights have ${found}: they are of different models.`,
    );
  }
  return { ...config, eps: description.layer_norm_eps ?? config.eps };
}
