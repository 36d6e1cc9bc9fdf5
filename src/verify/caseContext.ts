import type { Gpu } from '../gpu/gpu.ts';
import type { TensorFile } from '../io/tensorFile.ts';
import type { HostTensor, Tolerance } from './compare.ts';
import { compareValues } from './compare.ts';
import { FixtureError } from './errors.ts';
import type { FixtureCase } from './format.ts';
import { hashUniform } from './hash.ts';
import type { TensorCheck } from './report.ts';
import type { StoredTensor } from './storedTensor.ts';
import { storedTensor } from './storedTensor.ts';

/** One case while it runs: its inputs, and the place where results are checked as they come. */
export class CaseContext {
  readonly gpu: Gpu;
  readonly spec: FixtureCase;
  readonly checks: TensorCheck[] = [];
  private readonly file: TensorFile;
  private readonly unchecked: Set<string>;
  private readonly exempted = new Set<number>();

  constructor(gpu: Gpu, spec: FixtureCase, file: TensorFile) {
    this.gpu = gpu;
    this.spec = spec;
    this.file = file;
    this.unchecked = new Set([
      ...spec.outputs.map(({ name }) => name),
      ...spec.grads.map(({ input }) => gradientTitle(input)),
      ...(spec.grad_summary ? [summaryTitle] : []),
    ]);
  }

  /** Seed of everything the case generates. */
  get seed(): number {
    const { seed = 0 } = this.spec.attrs;
    if (typeof seed !== 'number') throw new FixtureError(`The seed of case "${this.spec.name}" is not a number.`);
    return seed;
  }

  hasInput(name: string): boolean {
    return this.spec.inputs.some((input) => input.name === name);
  }

  hasOutput(name: string): boolean {
    return this.spec.outputs.some((output) => output.name === name);
  }

  /** A stored or generated argument of the operator. @throws FixtureError if the case has no such input. */
  input(name: string): StoredTensor {
    const input = this.spec.inputs.find((candidate) => candidate.name === name);
    if (!input) throw new FixtureError(`Case "${this.spec.name}" (${this.spec.op}) has no input "${name}".`);
    if ('tensor' in input) return this.stored(input.tensor, input.shape);
    const { stream, shape } = input.generator;
    const count = shape.reduce((product, size) => product * size, 1);
    return { dtype: 'f32', shape, data: hashUniform(stream, this.seed, count) };
  }

  stored(tensor: string, shape?: readonly number[]): StoredTensor {
    return storedTensor(this.file, tensor, shape);
  }

  /** The upstream gradient of an output, if it has one. */
  upstream(output: string): StoredTensor | undefined {
    const entry = this.spec.upstream.find((candidate) => candidate.output === output);
    return entry && this.stored(entry.tensor, entry.shape);
  }

  /** Compares an output with its reference. Outputs the case does not list are ignored. */
  output(name: string, got: HostTensor): void {
    const entry = this.spec.outputs.find((candidate) => candidate.name === name);
    if (!entry) return;
    const expected = this.stored(entry.tensor, entry.shape);
    const atol = entry.atol_tensor === undefined ? entry.atol : this.perParameter(entry.atol_tensor, expected);
    this.compare(name, got, expected, { rtol: entry.rtol, atol });
  }

  /** Compares the gradient of an input or parameter; undefined where the engine made none. */
  gradient(input: string, got: HostTensor | undefined): void {
    const entry = this.spec.grads.find((candidate) => candidate.input === input);
    if (!entry) return;
    const expected = this.stored(entry.tensor, entry.shape);
    if (got) this.compare(gradientTitle(input), got, expected, entry);
    else this.fail(gradientTitle(input), 'the engine made no gradient', expected.shape);
  }

  /** Leaves the named parameters out of checks that have a tolerance per parameter. They must be finite all the same. */
  exempt(names: readonly string[]): void {
    for (const name of names) this.exempted.add(this.spec.param_names?.indexOf(name) ?? -1);
  }

  /** Takes over a comparison that was made elsewhere. */
  add(check: TensorCheck): void {
    this.unchecked.delete(check.tensor);
    this.checks.push(check);
  }

  /** Records that what the manifest lists and nobody checked is missing. */
  finish(): void {
    for (const title of [...this.unchecked]) this.fail(title, 'the engine has no such result');
  }

  private fail(tensor: string, problem: string, shape: readonly number[] = []): void {
    this.add({ tensor, shape, elements: 0, bad: 0, worstRatio: Number.POSITIVE_INFINITY, problem });
  }

  private compare(tensor: string, got: HostTensor, expected: StoredTensor, tolerance: Tolerance): void {
    if (got.shape.join() !== expected.shape.join()) {
      this.fail(tensor, `expected the shape [${expected.shape}], got [${got.shape}]`, expected.shape);
      return;
    }
    const exact = expected.dtype === 'i32' ? { rtol: 0, atol: 0 } : tolerance;
    this.add({ tensor, shape: expected.shape, ...compareValues(got.data, expected.data, exact) });
  }

  /** Absolute tolerances of a `[step, parameter, ...]` tensor from those of its parameters. */
  private perParameter(name: string, { shape, data }: StoredTensor): Float32Array {
    const [, parameters = 1, ...inner] = shape;
    const each = inner.reduce((product, size) => product * size, 1);
    const own = this.stored(name, [parameters]).data;
    return Float32Array.from(data, (_, i) => {
      const parameter = Math.floor(i / each) % parameters;
      return this.exempted.has(parameter) ? Number.POSITIVE_INFINITY : (own[parameter] ?? 0);
    });
  }
}

export const summaryTitle = 'gradient summary';

export function gradientTitle(input: string): string {
  return `gradient of ${input}`;
}
