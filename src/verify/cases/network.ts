import { backward } from '../../autograd/tape.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { NDArray } from '../../kernels/ndarray.ts';
import type { Module } from '../../nn/module.ts';
import type { CaseContext } from '../caseContext.ts';
import type { HostTensor } from '../compare.ts';
import { checkGradientSummary } from '../gradientSummary.ts';
import { hashUniform } from '../hash.ts';
import { generatedParameter } from '../parameters.ts';
import { checksum, dot } from '../statistics.ts';
import { bindModule, ParameterReader } from './moduleCase.ts';

/** What the loss of a network case takes: the output `tensor`, weighted element by element with `weights`, if given. */
export interface LossTerm {
  readonly output: string;
  /** Name of its random stream, if it is not that of the output. */
  readonly stream?: string;
  /** Factors on the random upstream gradient, such as a padding mask; same order as the output. */
  readonly weights?: ArrayLike<number>;
}

/** Random upstream gradient of an output: its stream divided by the square root of the number of elements. */
function upstreamOf({ output, stream = output, weights }: LossTerm, count: number, seed: number): Float32Array {
  const u = hashUniform(`loss.${stream}`, seed, count);
  return u.map((value, i) => (value * (weights?.[i] ?? 1)) / Math.sqrt(count));
}

/**
 * Runs a network with generated parameters forwards and back, and checks outputs, checksums, loss and gradients.
 * @param forward makes the outputs in the layout of the fixtures; `<name>_checksum` outputs follow from `<name>`.
 * @param more checks what follows from all outputs or from the state of the network after the passes.
 */
export async function runNetwork(
  context: CaseContext,
  network: Module,
  forward: () => Readonly<Record<string, Tensor>>,
  terms: readonly LossTerm[],
  more: (outputs: ReadonlyMap<string, HostTensor>) => Promise<void> = async () => undefined,
): Promise<void> {
  const { gpu, seed, spec } = context;
  const arena = bindModule(gpu, network, (name, shape) => generatedParameter(name, shape, seed));
  try {
    const upstream = new Map<string, Float32Array>();
    const outputs = gpu.scope(() => {
      const named = forward();
      const pulled = terms.flatMap((term) => {
        const tensor = named[term.output];
        if (!tensor) return [];
        const values = upstreamOf(term, tensor.size, seed);
        upstream.set(term.output, values);
        return [{ tensor, upstream: NDArray.from(gpu, values, tensor.shape) }];
      });
      backward(
        pulled.map(({ tensor }) => tensor),
        pulled.map(({ upstream: values }) => values),
      );
      return Object.fromEntries(Object.entries(named).map(([name, tensor]) => [name, tensor.detach()]));
    });
    let loss = 0;
    const read = new Map<string, HostTensor>();
    for (const [name, tensor] of Object.entries(outputs)) {
      const host = { shape: tensor.shape, data: await tensor.data() };
      tensor.dispose();
      read.set(name, host);
      context.output(name, host);
      if (context.hasOutput(`${name}_checksum`)) {
        context.output(`${name}_checksum`, { shape: [19], data: checksum(host) });
      }
      const weights = upstream.get(name);
      if (weights) loss += dot(host.data, weights);
    }
    context.output('loss', { shape: [], data: [loss] });
    await more(read);
    const reader = new ParameterReader(network);
    await checkGradientSummary(context, (name) => reader.gradient(name));
    for (const { input, shape = [] } of spec.grads) {
      context.gradient(input, { shape, data: await reader.gradient(input) });
    }
  } finally {
    arena.dispose();
  }
}
