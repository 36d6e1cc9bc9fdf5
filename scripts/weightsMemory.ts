/**
 * Measures the memory that a BERT-base file of the legacy torch.save format takes to read, convert and load:
 * `npx tsx scripts/weightsMemory.ts [folder]`. The file (436 MB) is generated; each way runs in a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGpu } from '../src/gpu/create.node.ts';
import { writeFileAtomic } from '../src/io/atomic.node.ts';
import { convertedTensors } from '../src/io/convert.ts';
import { openTensorFile } from '../src/io/openTensors.node.ts';
import { safetensorsChunks } from '../src/io/safetensors.ts';
import { elementCount } from '../src/io/tensorFile.ts';
import { BertEncoder } from '../src/models/bert.ts';
import { ParameterArena } from '../src/nn/arena.ts';
import { loadStateDict } from '../src/nn/checkpoint.ts';
import { describeMatch, stateShapes } from '../src/nn/match.ts';
import { legacyHead, tensorOf } from '../test/support/torchFiles.ts';

/** What is published beside the encoder, so that the file has the size of Bio_ClinicalBERT's. */
const heads: readonly (readonly [string, readonly number[]])[] = [
  ['bert.pooler.dense.weight', [768, 768]],
  ['bert.pooler.dense.bias', [768]],
  ['cls.predictions.transform.dense.weight', [768, 768]],
  ['cls.predictions.bias', [28_996]],
];

function generate(path: string): void {
  const shapes = [
    ...[...stateShapes(new BertEncoder())].map(([name, shape]) => [`bert.${name}`, shape] as const),
    ...heads,
  ];
  const storages = shapes.map(([, shape]) => ({
    type: 'FloatStorage',
    elements: elementCount(shape),
    bytes: new Uint8Array(),
  }));
  const empty = { type: 'FloatStorage', elements: 0, bytes: new Uint8Array() };
  const root = new Map(
    shapes.map(([name, shape], i) => [name, tensorOf(`${i}`, storages[i] ?? empty, shape)] as const),
  );
  const file = openSync(path, 'w');
  writeSync(
    file,
    legacyHead(
      root,
      shapes.map((_, i) => `${i}`),
    ),
  );
  for (const { elements } of storages) {
    writeSync(file, new BigInt64Array([BigInt(elements)]));
    writeSync(file, new Uint8Array(Float32Array.from({ length: elements }, (_, i) => (i % 97) / 97).buffer));
  }
  closeSync(file);
}

const ways: Readonly<Record<string, (path: string) => Promise<unknown> | unknown>> = {
  'start of the process': () => undefined,
  'read every tensor': (path) => {
    using file = openTensorFile(path);
    return file.names().reduce((sum, name) => sum + file.tensor(name).data.length, 0);
  },
  'convert to safetensors': async (path) => {
    using file = openTensorFile(path);
    await writeFileAtomic(`${path}.safetensors`, safetensorsChunks(convertedTensors(file, {})));
  },
  'make the model, nothing loaded': async () => {
    const gpu = await createGpu();
    new ParameterArena(gpu, new BertEncoder(), { initialize: false });
    await gpu.flush();
    gpu.dispose();
  },
  'make the model and load it': async (path) => {
    const gpu = await createGpu();
    const arena = new ParameterArena(gpu, new BertEncoder(), { initialize: false });
    using file = openTensorFile(path);
    const report = await loadStateDict(arena, file);
    await gpu.flush();
    gpu.dispose();
    return describeMatch(report);
  },
};

const [first = tmpdir(), way] = process.argv.slice(2);
if (way !== undefined) {
  const begin = performance.now();
  const result = await ways[way]?.(first);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  const mebibytes = Math.round(process.resourceUsage().maxRSS / 1024);
  process.stdout.write(
    `${way}: peak RSS ${mebibytes} MiB, ${seconds} s${result === undefined ? '' : ` (${result})`}\n`,
  );
  process.exit(0);
}
const folder = mkdtempSync(join(first, 'groundray-weights-'));
const path = join(folder, 'pytorch_model.bin');
generate(path);
process.stdout.write(`${path}: ${(statSync(path).size / 1e6).toFixed(0)} MB\n`);
for (const name of Object.keys(ways)) {
  spawnSync(process.execPath, ['--import', 'tsx', import.meta.filename, path, name], { stdio: 'inherit' });
}
rmSync(folder, { recursive: true });
