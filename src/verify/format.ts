import { z } from 'zod';
import { FixtureError } from './errors.ts';

/** Where the files of a fixtures folder come from: a disk, a web server, memory. */
export interface FixtureSource {
  /** For people: the path or address of the folder. */
  readonly location: string;
  /** @throws FixtureError if there is no such file. */
  read(file: string): Promise<Uint8Array<ArrayBuffer>>;
}

const shape = z.array(z.int().nonnegative());

const stored = z.object({ tensor: z.string(), shape: shape.optional() });

const tolerance = {
  rtol: z.number().nonnegative().default(0),
  atol: z.number().nonnegative().default(0),
};

const input = z.union([
  z.object({
    name: z.string(),
    tensor: z.string(),
    shape: shape.optional(),
    requires_grad: z.boolean().default(false),
  }),
  z.object({
    name: z.string(),
    generator: z.object({ stream: z.string(), shape }),
    requires_grad: z.boolean().default(false),
  }),
]);

const output = stored.extend({ name: z.string(), ...tolerance, atol_tensor: z.string().optional() });

const gradientSummary = z.object({
  norm: stored,
  norm_atol: stored,
  index: stored,
  value: stored,
  value_atol: stored,
  outlier_fraction: z.number().min(0).max(1),
});

const fixtureCase = z.object({
  name: z.string(),
  op: z.string(),
  attrs: z.record(z.string(), z.unknown()).default({}),
  inputs: z.array(input).default([]),
  outputs: z.array(output),
  upstream: z.array(stored.extend({ output: z.string() })).default([]),
  grads: z.array(stored.extend({ input: z.string(), ...tolerance })).default([]),
  grad_summary: gradientSummary.optional(),
  param_names: z.array(z.string()).optional(),
});

/** A path inside the folder; a manifest must not reach for other files. */
const insideFolder = z
  .string()
  .refine((file) => !/^[/\\]|(^|[/\\])\.\.([/\\]|$)|:/.test(file), { error: 'must name a file inside the folder' });

const manifest = z.object({
  version: z.literal(1),
  ops: z.record(z.string(), z.string()).default({}),
  groups: z.array(
    z.object({ name: z.string(), file: insideFolder, doc: z.string().default(''), cases: z.array(fixtureCase) }),
  ),
});

export type Manifest = z.infer<typeof manifest>;
export type FixtureGroup = Manifest['groups'][number];
export type FixtureCase = z.infer<typeof fixtureCase>;
export type FixtureInput = z.infer<typeof input>;
export type FixtureOutput = z.infer<typeof output>;
export type FixtureGradient = FixtureCase['grads'][number];
export type GradientSummary = z.infer<typeof gradientSummary>;

/** Reads and checks `manifest.json`. @throws FixtureError with one sentence that names the place. */
export async function readManifest(source: FixtureSource): Promise<Manifest> {
  const bytes = await source.read('manifest.json');
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new FixtureError(`manifest.json in ${source.location} is not JSON: ${(cause as Error).message}`);
  }
  const parsed = manifest.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FixtureError(
    `manifest.json in ${source.location} is not a fixtures manifest: ${issue?.path.join('.')}: ${issue?.message}.`,
  );
}
