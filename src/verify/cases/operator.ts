import { z } from 'zod';
import { backward } from '../../autograd/tape.ts';
import { Tensor } from '../../autograd/tensor.ts';
import { NDArray } from '../../kernels/ndarray.ts';
import type { CaseContext } from '../caseContext.ts';
import { FixtureError } from '../errors.ts';

/** Runs one case: computes, and hands every result to the context. */
export type CaseRunner = (context: CaseContext) => Promise<void>;

/** Which operators of the fixtures a file knows. */
export type CaseRunners = Readonly<Record<string, CaseRunner>>;

/** The arguments of an operator as tensors; those that require a gradient are leaves. */
export class Inputs {
  private readonly context: CaseContext;
  private readonly tensors = new Map<string, Tensor>();

  constructor(context: CaseContext) {
    this.context = context;
  }

  get(name: string): Tensor {
    const known = this.tensors.get(name);
    if (known) return known;
    const { shape, data, dtype } = this.context.input(name);
    const requiresGrad = this.context.spec.inputs.some((input) => input.name === name && input.requires_grad);
    const made = new Tensor(NDArray.from(this.context.gpu, data, shape, dtype), { requiresGrad });
    this.tensors.set(name, made);
    return made;
  }

  find(name: string): Tensor | undefined {
    return this.context.hasInput(name) ? this.get(name) : undefined;
  }

  all(): Tensor[] {
    return this.context.spec.inputs.map(({ name }) => this.get(name));
  }
}

/** The attributes of a case. @throws FixtureError naming the one that does not fit. */
export function attributesOf<A>(context: CaseContext, schema: z.ZodType<A>): A {
  const parsed = schema.safeParse(context.spec.attrs);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FixtureError(`Attribute ${issue?.path.join('.')} of operator ${context.spec.op}: ${issue?.message}.`);
}

export type Forward = (inputs: Inputs) => Tensor | Readonly<Record<string, Tensor>>;

/**
 * Computes outputs by name (one tensor stands for `y`), back-propagates the stored upstream gradients and checks the
 * outputs and the gradients of those inputs that are tensors of their own (`isLeaf`), not parameters of a module.
 */
export async function evaluate(
  context: CaseContext,
  forward: Forward,
  isLeaf: (input: string) => boolean = () => true,
): Promise<void> {
  const { gpu, spec } = context;
  const { outputs, gradients } = gpu.scope(() => {
    const inputs = new Inputs(context);
    const result = forward(inputs);
    const named = Object.entries(result instanceof Tensor ? { y: result } : result);
    const pulled = named.flatMap(([name, tensor]) => {
      const upstream = context.upstream(name);
      return upstream ? [{ tensor, upstream: NDArray.from(gpu, upstream.data, upstream.shape) }] : [];
    });
    backward(
      pulled.map(({ tensor }) => tensor),
      pulled.map(({ upstream }) => upstream),
    );
    const leaves = spec.grads.filter(({ input }) => isLeaf(input));
    return {
      // Outputs may share storage with each other or with inputs; detached views have one owner each.
      outputs: named.map(([name, tensor]) => ({ name, tensor: tensor.detach() })),
      gradients: leaves.map(({ input }) => ({ input, grad: inputs.get(input).grad })),
    };
  });
  try {
    for (const { name, tensor } of outputs) {
      if (context.hasOutput(name)) context.output(name, { shape: tensor.shape, data: await tensor.data() });
    }
    for (const { input, grad } of gradients) {
      context.gradient(input, grad && { shape: grad.shape, data: await grad.read() });
    }
  } finally {
    for (const { tensor } of outputs) tensor.dispose();
    for (const { grad } of gradients) grad?.dispose();
  }
}

/** A differentiable operator with attributes of the given schema. */
export function operator<A>(
  schema: z.ZodType<A>,
  forward: (inputs: Inputs, attributes: A) => ReturnType<Forward>,
): CaseRunner {
  return async (context) => {
    const attributes = attributesOf(context, schema);
    return evaluate(context, (inputs) => forward(inputs, attributes));
  };
}

/** Schema of operators without attributes. */
export const noAttributes = z.object({});
