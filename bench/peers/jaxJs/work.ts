import * as jax from '@jax-js/jax';
import type { HostTensor } from '../host.ts';
import type { Prepared, Results } from '../library.ts';

const { numpy: np } = jax;

export type JaxArray = jax.Array;

export function upload({ data, shape }: HostTensor): JaxArray {
  // A copy, because the library may keep the buffer.
  const dtype = data instanceof Int32Array ? np.int32 : np.float32;
  return np.array(data.slice() as Float32Array<ArrayBuffer>, { shape: [...shape], dtype });
}

export interface JaxWorkOptions {
  readonly note: string;
  /** Computes the results, in an order that `names` tells. Takes nothing away from the arrays it uses. */
  readonly call: () => readonly JaxArray[];
  readonly names: readonly string[];
  /** Brings results with channels first into the layout of the reference. */
  readonly turn?: Readonly<Record<string, (values: HostTensor) => HostTensor>>;
  readonly free: () => void;
}

/** Work of jax-js. Results replace those of the run before. */
export class JaxWork implements Prepared {
  readonly note: string;
  private readonly options: JaxWorkOptions;
  private latest: readonly JaxArray[] = [];

  constructor(options: JaxWorkOptions) {
    this.note = options.note;
    this.options = options;
  }

  async run(): Promise<void> {
    const before = this.latest;
    this.latest = this.options.call();
    // Arrays are lazy, and what is thrown away before it was needed is never computed: asking for the buffer starts it.
    for (const array of this.latest) await array.ref.gpuBuffer();
    for (const array of before) array.dispose();
  }

  async sync(): Promise<void> {
    await jax.blockUntilReady([...this.latest]);
  }

  async results(): Promise<Results> {
    const all: Record<string, ArrayLike<number>> = {};
    for (const [i, name] of this.options.names.entries()) {
      const array = this.latest[i];
      if (!array) continue;
      const host = { shape: array.shape, data: Float32Array.from(await array.ref.data()) };
      const turn = this.options.turn?.[name];
      all[name] = (turn ? turn(host) : host).data;
    }
    return all;
  }

  dispose(): void {
    for (const array of this.latest) array.dispose();
    this.options.free();
  }
}
