/**
 * Copies the small cases of a fixtures folder into another folder of the same format, for the tests of the repository:
 * `npx tsx scripts/make-fixture-subset.ts --from <fixtures> --to test/fixtures --without resnet50 \
 *   --without train_trace/adam_decay`
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeFileAtomic } from '../src/io/atomic.node.ts';
import type { WritableTensor } from '../src/io/safetensors.ts';
import { readSafetensors, writeSafetensors } from '../src/io/safetensors.ts';
import type { TensorFile } from '../src/io/tensorFile.ts';
import type { FixtureSource } from '../src/verify/format.ts';
import { readManifest } from '../src/verify/format.ts';
import { folderSource } from '../src/verify/source.node.ts';
import { storedTensor } from '../src/verify/storedTensor.ts';

/** Cases with at most this many bytes of tensors are kept. */
const smallCase = 48 * 1024;
/** Of every operator the smallest case is kept too, as long as it is not larger than this. */
const largestCase = 700 * 1024;

/** A case as the manifest has it, with all its fields, known to the verifier or not. */
interface RawCase {
  readonly name: string;
  readonly op: string;
  readonly attrs: Readonly<Record<string, unknown>>;
}

interface RawManifest {
  readonly groups: readonly { readonly name: string; readonly file: string; readonly cases: readonly RawCase[] }[];
}

/** Names of all tensors that a case mentions, wherever it does. */
function tensorNames(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    (key === 'tensor' || key === 'atol_tensor') && typeof item === 'string' ? [item] : tensorNames(item),
  );
}

/** What makes a case unlike its neighbours besides its shapes: the operator, its switches and words. */
function kindOf({ op, attrs }: RawCase): string {
  const switches = Object.entries(attrs).filter(([, value]) => typeof value === 'boolean' || typeof value === 'string');
  return JSON.stringify([op, switches]);
}

function selectCases(cases: readonly RawCase[], file: TensorFile): RawCase[] {
  const bytes = new Map(
    cases.map((spec) => {
      const sizes = [...new Set(tensorNames(spec))].map((name) =>
        file.info(name).shape.reduce((n, size) => n * size, 4),
      );
      return [spec, sizes.reduce((sum, size) => sum + size, 0)];
    }),
  );
  const sizeOf = (spec: RawCase): number => bytes.get(spec) ?? 0;
  const smallest = new Map<string, RawCase>();
  for (const spec of cases) {
    const known = smallest.get(kindOf(spec));
    if (!known || sizeOf(spec) < sizeOf(known)) smallest.set(kindOf(spec), spec);
  }
  const exemplars = new Set(smallest.values());
  return cases.filter((spec) => sizeOf(spec) <= (exemplars.has(spec) ? largestCase : smallCase));
}

async function makeSubset(source: FixtureSource, to: string, without: readonly string[]): Promise<void> {
  await readManifest(source);
  const manifest = JSON.parse(new TextDecoder().decode(await source.read('manifest.json'))) as RawManifest;
  const groups: RawManifest['groups'][number][] = [];
  let total = 0;
  for (const group of manifest.groups) {
    const file = readSafetensors(await source.read(group.file), group.file);
    const wanted = group.cases.filter(({ name }) => !without.includes(`${group.name}/${name}`));
    const cases = without.includes(group.name) ? [] : selectCases(wanted, file);
    if (cases.length === 0) {
      process.stdout.write(`${group.name}: left out\n`);
      await rm(join(to, group.file), { force: true });
      continue;
    }
    const names = new Set(cases.flatMap(tensorNames));
    const tensors = new Map<string, WritableTensor>([...names].map((name) => [name, storedTensor(file, name)]));
    const content = writeSafetensors(tensors);
    await writeFileAtomic(join(to, group.file), content);
    groups.push({ ...group, cases });
    total += content.length;
    process.stdout.write(`${group.name}: ${cases.length} of ${group.cases.length} cases, ${content.length} bytes\n`);
  }
  const text = `${JSON.stringify({ ...manifest, groups })}\n`;
  await writeFileAtomic(join(to, 'manifest.json'), text);
  process.stdout.write(`${total + text.length} bytes in all\n`);
}

const { values } = parseArgs({
  options: { from: { type: 'string' }, to: { type: 'string' }, without: { type: 'string', multiple: true } },
});
if (!values.from || !values.to) {
  throw new Error(
    'Usage: npx tsx scripts/make-fixture-subset.ts --from <folder> --to <folder> [--without <group>[/<case>]]...',
  );
}
await makeSubset(folderSource(values.from), values.to, values.without ?? []);
