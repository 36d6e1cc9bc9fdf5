import { existsSync, realpathSync } from 'node:fs';
import { writeFileAtomic } from '../io/atomic.node.ts';
import { convertedTensors } from '../io/convert.ts';
import { TensorFileError } from '../io/errors.ts';
import { openTensorFile } from '../io/openTensors.node.ts';
import { type LazyTensor, safetensorsChunks } from '../io/safetensors.ts';
import { bytesOf } from '../io/tensorDtypes.ts';
import { elementCount } from '../io/tensorFile.ts';
import { byteProgress } from './byteProgress.ts';
import { formatFileSize, UsageError } from './common.ts';
import { interruptSignal } from './interrupt.ts';

export interface ConvertFlags {
  readonly dtype?: 'f32' | 'f16';
  readonly strip?: readonly string[];
  readonly prefix?: string;
  readonly only?: string;
}

function renamer({ strip = [], prefix = '', only }: ConvertFlags): (name: string) => string | undefined {
  return (name) => {
    if (only !== undefined && !name.startsWith(only)) return undefined;
    const rest = strip.reduce(
      (own, beginning) => (own.startsWith(beginning) ? own.slice(beginning.length) : own),
      name,
    );
    return rest === '' ? '' : prefix + rest;
  };
}

/** The parts of the file, with a look at the bar and at Ctrl-C between them. */
async function* watched(
  tensors: ReadonlyMap<string, LazyTensor>,
  metadata: Readonly<Record<string, string>>,
  onBytes: (count: number) => void,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (const chunk of safetensorsChunks(tensors, metadata)) {
    await new Promise(setImmediate);
    signal.throwIfAborted();
    yield chunk;
    onBytes(chunk.length);
  }
}

/** `groundray weights convert` */
export async function convert(from: string, to: string, flags: ConvertFlags): Promise<void> {
  using file = openTensorFile(from);
  if (existsSync(to) && realpathSync(to) === realpathSync(from)) {
    throw new UsageError(`${to} is the file that is converted; name another one.`);
  }
  const dtype = flags.dtype === undefined ? undefined : flags.dtype === 'f16' ? 'F16' : 'F32';
  const tensors = convertedTensors(file, { dtype, rename: renamer(flags) });
  if (tensors.size === 0)
    throw new UsageError(`Nothing of ${from} is left to write: it has ${file.names().length} tensors.`);
  const total = [...tensors.values()].reduce(
    (sum, tensor) => sum + elementCount(tensor.shape) * bytesOf[tensor.dtype],
    0,
  );
  const progress = byteProgress('Converting');
  const { signal, dispose } = interruptSignal(`Stopping; ${to} stays as it was.`);
  let done = 0;
  try {
    const onBytes = (count: number): void => {
      done += count;
      progress.update(Math.min(done, total), total);
    };
    await writeFileAtomic(to, watched(tensors, { format: 'pt' }, onBytes, signal));
  } catch (error) {
    // A tensor that cannot be converted is no trouble with writing.
    if (!signal.aborted) throw error instanceof Error && error.cause instanceof TensorFileError ? error.cause : error;
    process.exitCode = 130;
    return;
  } finally {
    progress.stop();
    dispose();
  }
  process.stdout.write(
    `Wrote ${tensors.size} of ${file.names().length} tensors, ${formatFileSize(total)}, to ${to}.\n`,
  );
}
