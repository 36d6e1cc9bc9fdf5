/** DICOM files (PS3.10) taken apart, whatever their transfer syntax. */
import dicomParser, { type DataSet } from 'dicom-parser';
import { Inflate } from 'fflate';
import { DataError } from '../../data/errors.ts';
import { type TransferSyntax, transferSyntax } from './transferSyntax.ts';

export interface ParsedDicom {
  readonly syntax: TransferSyntax;
  readonly dataSet: DataSet;
}

/** More than this is not unpacked from a deflated file, whatever it claims to hold. */
const MAX_INFLATED_BYTES = 2 ** 27;

/** Whether bytes are a DICOM file: by its mark at 128, or by an element of group 8 at the start where there is no preamble. */
export function isDicom(bytes: Uint8Array): boolean {
  return hasPreamble(bytes) || bareSyntax(bytes) !== undefined;
}

/**
 * Reads all elements. Files without preamble and meta group, as old archives hold, are taken as little endian, explicit
 * or implicit by what the first element looks like.
 *
 * @throws DataError beginning with `source` for anything but a DICOM file in a transfer syntax that is read.
 */
export function parseDicom(bytes: Uint8Array, source: string): ParsedDicom {
  const bare = hasPreamble(bytes) ? undefined : bareSyntax(bytes);
  try {
    const uid = bare ?? metaSyntax(bytes, source);
    const syntax = transferSyntax(uid, source);
    const dataSet = dicomParser.parseDicom(bytes, {
      ...(bare === undefined ? {} : { TransferSyntaxUID: bare }),
      inflater: (all: Uint8Array, position: number) => inflate(all, position, source),
    });
    return { syntax, dataSet };
  } catch (error) {
    if (error instanceof DataError) throw error;
    // dicom-parser throws strings, errors, and for some broken files an object with what it had read.
    const reason =
      typeof error === 'string'
        ? error
        : error instanceof Error
          ? error.message
          : 'an element is longer than the file, so the file is cut off';
    const clean = reason.replace(/dicomParser\.\w+: /g, '').replace(/\s+/g, ' ');
    throw new DataError(`${source}: expected a DICOM file, but it cannot be parsed (${clean}). Replace the file.`);
  }
}

function metaSyntax(bytes: Uint8Array, source: string): string {
  const meta = dicomParser.readPart10Header(bytes);
  const uid = meta.elements.x00020010 ? meta.string('x00020010') : undefined;
  if (!uid) {
    throw new DataError(
      `${source}: expected a transfer syntax (0002,0010) in the DICOM file meta information, found none. Replace the file.`,
    );
  }
  return uid.trim();
}

function hasPreamble(bytes: Uint8Array): boolean {
  return bytes.length > 132 && String.fromCharCode(...bytes.subarray(128, 132)) === 'DICM';
}

function bareSyntax(bytes: Uint8Array): string | undefined {
  const [low, high, element, elementHigh] = bytes;
  if (bytes.length < 140 || low !== 8 || high !== 0 || elementHigh !== 0 || (element ?? 255) > 0x70) return undefined;
  const vr = String.fromCharCode(bytes[4] ?? 0, bytes[5] ?? 0);
  return /^(AE|CS|DA|DT|LO|SH|TM|UI|UL)$/.test(vr) ? '1.2.840.10008.1.2.1' : '1.2.840.10008.1.2';
}

/** The file with everything after `position` inflated, as the parser wants it. */
function inflate(bytes: Uint8Array, position: number, source: string): Uint8Array {
  const parts = [bytes.subarray(0, position)];
  let total = position;
  const stream = new Inflate((part) => {
    total += part.length;
    if (total > MAX_INFLATED_BYTES) {
      throw new DataError(
        `${source}: the deflated DICOM file unpacks to more than ${MAX_INFLATED_BYTES / 2 ** 20} MiB. Replace the file.`,
      );
    }
    parts.push(part);
  });
  // In pieces, so that the limit is seen before everything is unpacked.
  const step = 65536;
  for (let at = position; at < bytes.length; at += step) {
    stream.push(bytes.subarray(at, at + step), at + step >= bytes.length);
  }
  const all = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
