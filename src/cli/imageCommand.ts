import { existsSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { RESEARCH_NOTICE } from '../eval/notice.ts';
import { writeFileAtomic } from '../io/atomic.node.ts';
import { nodeCodecs } from '../io/codecs.node.ts';
import type { DicomImage } from '../io/dicom/decode.ts';
import { defaultVoi, type VoiChoice, windowFunction } from '../io/dicom/voi.ts';
import { decodeImage, readBytes } from '../io/image.node.ts';
import { imageFormat } from '../io/image.ts';
import { type ImageInfo, inspectImage } from '../io/imageInfo.ts';
import { encodeGrayPng } from '../io/png.node.ts';
import { UsageError } from './common.ts';

/** Flags of `groundray image`, as commander gives them. */
export interface ImageFlags {
  readonly out?: string;
  readonly window?: string;
  readonly json?: boolean;
}

/** `groundray image` */
export async function image(file: string, { out, window, json }: ImageFlags): Promise<void> {
  if (!existsSync(file)) throw new UsageError(`${file}: there is no such file.`);
  if (statSync(file).isDirectory())
    throw new UsageError(`${file}: expected a PNG, JPEG or DICOM file, found a folder.`);
  if (out !== undefined && extname(out).toLowerCase() !== '.png') {
    throw new UsageError(`--out ${out}: expected a name that ends in .png.`);
  }
  if (out !== undefined && resolve(out) === resolve(file)) {
    throw new UsageError(`--out ${out} would replace the image itself; choose another name.`);
  }
  const bytes = await readBytes(file);
  const format = imageFormat(bytes, file);
  if (window !== undefined && format !== 'dicom') {
    throw new UsageError(`--window ${window}: only DICOM files have windows, this is a ${format.toUpperCase()} file.`);
  }
  let shown: string | undefined;
  const choose = (dicom: DicomImage): VoiChoice => {
    const choice = window === undefined ? defaultVoi(dicom) : parseWindow(window, dicom);
    shown = describeChoice(choice, dicom);
    return choice;
  };
  const { info, image: portable } = await inspectImage(bytes, file, nodeCodecs, choose);
  // What training reads: the decoder of Node, for all but DICOM.
  const pixels = format === 'dicom' ? portable : await decodeImage(bytes, file);
  if (out !== undefined) await writeFileAtomic(out, encodeGrayPng(pixels));
  process.stdout.write(json ? toJson(file, info, shown, out) : toText(file, info, shown, out));
}

function parseWindow(text: string, { windows }: DicomImage): VoiChoice {
  if (text === 'full') return { range: 'full' };
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [first = Number.NaN, width] = numbers;
  if (numbers.some((number) => !Number.isFinite(number)) || numbers.length > 2) {
    throw new UsageError(`--window ${text}: expected centre,width, the number of a window, or full.`);
  }
  if (width === undefined) {
    if (windows[first - 1]) return { window: first - 1 };
    throw new UsageError(
      `--window ${text}: the file has ${windows.length || 'no'} window${windows.length === 1 ? '' : 's'}.`,
    );
  }
  const choice = { center: first, width, function: windows[0]?.function ?? ('LINEAR' as const) };
  try {
    windowFunction(choice);
  } catch (error) {
    throw new UsageError(`--window ${text}: ${error instanceof Error ? error.message : error}`);
  }
  return choice;
}

function describeChoice(choice: VoiChoice, { windows }: DicomImage): string {
  if ('range' in choice) return 'full range';
  if ('table' in choice) return `VOI lookup table ${choice.table + 1}`;
  const window = 'window' in choice ? windows[choice.window] : choice;
  return `window ${window?.center},${window?.width} ${window?.function}`;
}

function toText(file: string, { format, width, height, details }: ImageInfo, shown?: string, out?: string): string {
  const rows = Object.entries({
    format,
    size: `${width} x ${height} pixels`,
    ...details,
    ...(shown === undefined ? {} : { shown }),
    ...(out === undefined ? {} : { picture: out }),
  });
  const label = Math.max(...rows.map(([name]) => name.length));
  return `${file}\n${rows.map(([name, value]) => `  ${name.padEnd(label)}  ${value}\n`).join('')}${RESEARCH_NOTICE}\n`;
}

function toJson(file: string, info: ImageInfo, shown?: string, out?: string): string {
  const result = { kind: 'groundray-image', notice: RESEARCH_NOTICE, file, ...info };
  return `${JSON.stringify({ ...result, shown: shown ?? null, picture: out ?? null }, null, 2)}\n`;
}
