import { ShapeError } from '../gpu/errors.ts';
import type { HostArray, ParameterArena } from './arena.ts';
import {
  describeMatch,
  type Match,
  type MatchOptions,
  type MatchReport,
  matchTensors,
  type TensorCatalog,
} from './match.ts';

/** Tensors by name, each made when it is asked for: a `TensorFile`, for example. */
export interface TensorSource extends TensorCatalog {
  /** Shape and values of a tensor. @throws if there is none of this name. */
  tensor(name: string): HostArray;
}

/** What `loadStateDict` may leave unmatched. */
export interface LoadOptions extends MatchOptions {
  /** Throw unless everything matches. False by default. */
  readonly strict?: boolean;
}

/** The queue copies what is written, and lets go of the copies only when somebody waits for it. */
const mostWaitingBytes = 2 ** 25;

/** `[out, from, height, width]` as `[out, to, height, width]` with the same response to a grey image. */
function foldChannels({ shape, data }: HostArray, { from, to }: NonNullable<Match['fold']>): Float32Array {
  const [out = 1, , height = 1, width = 1] = shape;
  const plane = height * width;
  const folded = new Float32Array(out * to * plane);
  for (let o = 0; o < out; o++) {
    for (let p = 0; p < plane; p++) {
      let sum = 0;
      for (let c = 0; c < from; c++) sum += data[(o * from + c) * plane + p] ?? 0;
      for (let c = 0; c < to; c++) folded[(o * to + c) * plane + p] = sum / to;
    }
  }
  return folded;
}

/**
 * Loads published weights into the module of an arena by name (see `matchTensors`). Tensors are read one after the
 * other and the GPU's queue is emptied between them, so a file never has to be in memory as a whole.
 * @throws ShapeError if `strict` and anything is missing, unexpected or of another shape; nothing is loaded then.
 */
export async function loadStateDict(
  arena: ParameterArena,
  source: TensorSource | ReadonlyMap<string, HostArray>,
  options: LoadOptions = {},
): Promise<MatchReport> {
  const tensors = source instanceof Map ? sourceOfMap(source) : (source as TensorSource);
  const { report, matches } = matchTensors(arena.shapes(), tensors, options);
  const { missing, unexpected, mismatched } = report;
  if (options.strict && missing.length + unexpected.length + mismatched.length > 0) {
    throw new ShapeError(`The weights do not fit the model: ${describeMatch(report)}.`);
  }
  let waiting = 0;
  for (const [name, { source: from, fold }] of matches) {
    const tensor = tensors.tensor(from);
    arena.load([[name, fold ? foldChannels(tensor, fold) : tensor.data]]);
    waiting += tensor.data.byteLength;
    if (waiting < mostWaitingBytes) continue;
    await arena.gpu.flush();
    waiting = 0;
  }
  return report;
}

function sourceOfMap(map: ReadonlyMap<string, HostArray>): TensorSource {
  const get = (name: string): HostArray => {
    const found = map.get(name);
    if (!found) throw new ShapeError(`There is no tensor ${name}.`);
    return found;
  };
  return { names: () => map.keys(), info: get, tensor: get };
}
