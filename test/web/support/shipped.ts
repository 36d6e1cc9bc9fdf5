/** The page's model and images in Node, to compare the page with. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { renderImage, renderMask } from '../../../src/data/phantom/render.ts';
import { phantomStudy } from '../../../src/data/phantom/study.ts';
import { describeFinding } from '../../../src/eval/finding.ts';
import { ModelLocalizer } from '../../../src/eval/modelLocalizer.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { decodeImage } from '../../../src/io/image.node.ts';
import { writeSafetensors } from '../../../src/io/safetensors.ts';
import { GroundingModel } from '../../../src/models/grounding.ts';
import { ParameterArena } from '../../../src/nn/arena.ts';
import { loadStateDict } from '../../../src/nn/checkpoint.ts';
import { parseCheckpoint } from '../../../web/src/worker/checkpoint.ts';

const folder = resolve(import.meta.dirname, '../../../web/public/phantom-mini');

/** Path of a file of the shipped model. */
export const part = (name: string): string => join(folder, name);

function shippedCheckpoint() {
  return parseCheckpoint('phantom-mini', {
    weights: { name: 'model.safetensors', bytes: Uint8Array.from(readFileSync(part('model.safetensors'))).buffer },
    config: readFileSync(part('config.json'), 'utf8'),
    vocabulary: readFileSync(part('vocab.txt'), 'utf8'),
  });
}

/** The command line's localizer with the page's checkpoint. */
export async function findInNode(gpu: Gpu, bytes: Uint8Array, phrase: string) {
  const { config, tokenizer, weights, calibration } = shippedCheckpoint();
  const model = new GroundingModel(config.model);
  using arena = new ParameterArena(gpu, model, { initialize: false });
  await loadStateDict(arena, weights, { strict: true });
  const image = await decodeImage(bytes, 'the image');
  const [found] = await new ModelLocalizer(gpu, model, tokenizer, config).localize(image, [phrase]);
  const options = { sigma: config.sigma, preset: 'paper-minmax', threshold: 0.3, calibration } as const;
  return { image, found: found!, finding: describeFinding(phrase, found!, image, options), options };
}

/** The shipped model as the run that it came from, for the command line. */
export function writeShippedRun(run: string): void {
  const { weights } = shippedCheckpoint();
  mkdirSync(run, { recursive: true });
  const tensors = new Map(weights.names().map((name) => [`model.${name}`, weights.tensor(name)]));
  const progress = JSON.stringify({ step: 1, bestValidation: null });
  writeFileSync(join(run, 'checkpoint.safetensors'), writeSafetensors(tensors, { ...weights.metadata, progress }));
  for (const name of ['config.json', 'vocab.txt']) writeFileSync(join(run, name), readFileSync(part(name)));
}

/** A synthetic radiograph, 96 x 80 pixels. */
export function radiograph(index: number): Promise<Buffer> {
  const { data } = renderImage(phantomStudy(0, 'test', index).scene, 96);
  return cropped(Uint8Array.from(data, (value) => Math.round(255 * value)));
}

/** A finding of a `radiograph`: its phrase, and its place as a mask of 0 and `full`. */
export async function lesionOf(index: number, full = 255): Promise<{ phrase: string; png: Buffer }> {
  const { scene, lesions } = phantomStudy(0, 'test', index);
  const [first] = lesions;
  const { data } = renderMask(scene, first!.lesion, 96);
  return { phrase: first!.wording.phrase, png: await cropped(data.map((value) => value * full)) };
}

function cropped(pixels: Uint8Array): Promise<Buffer> {
  return sharp(pixels, { raw: { width: 96, height: 96, channels: 1 } })
    .extract({ left: 0, top: 8, width: 96, height: 80 })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}
