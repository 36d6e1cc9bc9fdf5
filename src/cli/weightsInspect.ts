import { openTensorFile } from '../io/openTensors.node.ts';
import { bytesOf } from '../io/tensorDtypes.ts';
import { elementCount, type TensorFile } from '../io/tensorFile.ts';
import { formatFileSize } from './common.ts';

export interface InspectFlags {
  readonly json?: boolean;
}

/** Longest value of a metadata entry that is shown. */
const longestShown = 100;

interface Listed {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

function list(file: TensorFile): Listed[] {
  return file.names().map((name) => {
    const { dtype, shape } = file.info(name);
    return { name, dtype, shape, bytes: elementCount(shape) * bytesOf[dtype] };
  });
}

/** Text from a file that nobody vouches for: control characters would reach the terminal. */
function printable(text: string): string {
  const clean = text.replace(/\p{Cc}/gu, ' ');
  return clean.length > longestShown ? `${clean.slice(0, longestShown)}...` : clean;
}

function describe(file: TensorFile, tensors: readonly Listed[]): string[] {
  const total = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  const elements = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const shapes = tensors.map(({ shape }) => `[${shape.join(', ')}]`);
  const longestShape = Math.max(0, ...shapes.map(({ length }) => length));
  const metadata = Object.entries(file.metadata).map(([key, value]) => `  ${printable(key)}: ${printable(value)}`);
  return [
    `${file.file}: ${file.format}, ${tensors.length} tensors, ${elements.toLocaleString('en')} elements, ${formatFileSize(total)}`,
    ...tensors.map(
      ({ name, dtype, bytes }, i) =>
        `  ${dtype.padEnd(4)} ${(shapes[i] ?? '').padEnd(longestShape)} ${formatFileSize(bytes).padStart(9)}  ${printable(name)}`,
    ),
    ...(metadata.length > 0 ? ['Beside the tensors:', ...metadata] : []),
    ...(file.stubs.length > 0
      ? [`Python classes that were not recognised and left inert: ${file.stubs.map(printable).join(', ')}`]
      : []),
  ];
}

/** `groundray weights inspect` */
export function inspect(path: string, { json }: InspectFlags): void {
  using file = openTensorFile(path);
  const tensors = list(file);
  const { format, metadata, stubs } = file;
  const totalBytes = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  const text = json
    ? JSON.stringify({ file: path, format, totalBytes, tensors, metadata, stubs }, null, 2)
    : describe(file, tensors).join('\n');
  process.stdout.write(`${text}\n`);
}
