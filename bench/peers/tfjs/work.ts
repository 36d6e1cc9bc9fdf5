import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../host.ts';
import { permute } from '../host.ts';
import type { Prepared, Results } from '../library.ts';

/** Waits for the queue. */
export type Sync = () => Promise<void>;

export const upload = ({ data, shape }: HostTensor): Tensor =>
  tf.tensor(data, [...shape], data instanceof Int32Array ? 'int32' : 'float32');

/** Weights `[out, height, width, in]` to this library's `[height, width, in, out]`, and back. */
export const toFilter = (host: HostTensor): HostTensor => permute(host, [1, 2, 3, 0]);
export const fromFilter = (host: HostTensor): HostTensor => permute(host, [3, 0, 1, 2]);

export interface TfjsWorkOptions {
  readonly note?: string;
  /** Runs inside `tf.tidy`. */
  readonly call: () => NamedTensorMap;
  readonly sync: Sync;
  /** Tensors that every run changes in place, and that are results too. */
  readonly changed?: NamedTensorMap;
  readonly owned: readonly { dispose(): void }[];
  readonly turn?: Readonly<Record<string, (host: HostTensor) => HostTensor>>;
}

/** Work of TensorFlow.js. Results replace those of the run before. */
export class TfjsWork implements Prepared {
  readonly note: string;
  private readonly options: TfjsWorkOptions;
  private latest: NamedTensorMap = {};

  constructor(options: TfjsWorkOptions) {
    this.note = options.note ?? 'tf.tidy';
    this.options = options;
  }

  run(): void {
    tf.dispose(this.latest);
    this.latest = tf.tidy(this.options.call);
  }

  sync(): Promise<void> {
    return this.options.sync();
  }

  async results(): Promise<Results> {
    const all: Record<string, ArrayLike<number>> = {};
    for (const [name, tensor] of Object.entries({ ...this.latest, ...this.options.changed })) {
      const host = { shape: tensor.shape, data: Float32Array.from(await tensor.data<'float32'>()) };
      const turn = this.options.turn?.[name];
      all[name] = (turn ? turn(host) : host).data;
    }
    return all;
  }

  dispose(): void {
    tf.dispose(this.latest);
    for (const item of this.options.owned) item.dispose();
  }
}
