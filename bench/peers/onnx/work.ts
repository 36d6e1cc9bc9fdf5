import type { HostTensor } from '../host.ts';
import type { OnnxGraph } from './proto.ts';

/** A model with its inputs. */
export interface OnnxWork {
  readonly graph: OnnxGraph;
  /** One for every input of the graph. */
  readonly inputs: Readonly<Record<string, HostTensor>>;
  /** Brings a result with channels first into the layout of the reference. */
  readonly turn?: (host: HostTensor) => HostTensor;
  readonly note?: string;
}
