/** The attributes of a DICOM image that decide how it looks; names and dates of patients are never taken out of the file. */
import type { DataSet, Element } from 'dicom-parser';
import { DataError } from '../../data/errors.ts';
import type { LookupTable, VoiFunction, VoiWindow } from './voi.ts';

export interface DicomHeader {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly photometric: string;
  readonly planar: boolean;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
  readonly frames: number;
  readonly modality: { readonly slope: number; readonly intercept: number } | LookupTable;
  readonly windows: readonly VoiWindow[];
  readonly voiTables: readonly LookupTable[];
  readonly padding?: readonly [low: number, high: number];
  /** Kind of device, view and side as the file states them, e.g. `DX`, `PA`, `L\F`. The pixels are never flipped. */
  readonly device?: string;
  readonly viewPosition?: string;
  readonly patientOrientation?: string;
  readonly laterality?: string;
}

/** Throws DataError beginning with `source` for what is missing or is not read. */
export function readHeader(dataSet: DataSet, source: string): DicomHeader {
  const required = (tag: string, name: string): number => {
    const value = dataSet.elements[tag] && dataSet.uint16(tag);
    if (value !== undefined) return value;
    throw new DataError(
      `${source}: the DICOM file has no ${name} (${tagName(tag)}), so it holds no image that is read.`,
    );
  };
  const rows = required('x00280010', 'Rows');
  const columns = required('x00280011', 'Columns');
  const bitsAllocated = required('x00280100', 'Bits Allocated');
  const bitsStored = dataSet.uint16('x00280101') ?? bitsAllocated;
  const samplesPerPixel = dataSet.uint16('x00280002') ?? 1;
  const photometric = (dataSet.string('x00280004') ?? 'MONOCHROME2').trim().toUpperCase();
  const signed = dataSet.uint16('x00280103') === 1;
  const refuse = (what: string): never => {
    throw new DataError(`${source}: ${what}. Convert the file to MONOCHROME2 with 8 or 16 bits.`);
  };
  if (bitsAllocated !== 8 && bitsAllocated !== 16) {
    refuse(`expected 8 or 16 Bits Allocated (0028,0100), found ${bitsAllocated}`);
  }
  if (bitsStored < 1 || bitsStored > bitsAllocated) {
    refuse(`expected 1 to ${bitsAllocated} Bits Stored (0028,0101), found ${bitsStored}`);
  }
  const highBit = dataSet.uint16('x00280102') ?? bitsStored - 1;
  if (highBit < bitsStored - 1 || highBit >= bitsAllocated) {
    refuse(`expected a High Bit (0028,0102) of ${bitsStored - 1} to ${bitsAllocated - 1}, found ${highBit}`);
  }
  const grey = photometric === 'MONOCHROME1' || photometric === 'MONOCHROME2';
  const colour = photometric === 'RGB' || photometric.startsWith('YBR_');
  if (!grey && !colour) refuse(`images with the photometric interpretation "${photometric}" are not read`);
  if (samplesPerPixel !== (grey ? 1 : 3)) {
    refuse(`expected ${grey ? 1 : 3} samples per pixel (0028,0002) with ${photometric}, found ${samplesPerPixel}`);
  }
  if (colour && (bitsAllocated !== 8 || signed)) refuse('colour images are read with 8 unsigned bits per sample only');
  const groups = functionalGroups(dataSet);
  const padding = paddingOf(dataSet, signed);
  const [device, viewPosition, patientOrientation, laterality] = [
    'x00080060',
    'x00185101',
    'x00200020',
    'x00200062',
  ].map((tag) => dataSet.string(tag)?.trim() || undefined);
  return {
    rows,
    columns,
    samplesPerPixel,
    photometric,
    planar: dataSet.uint16('x00280006') === 1,
    bitsAllocated,
    bitsStored,
    highBit,
    signed,
    frames: Math.max(1, dataSet.intString('x00280008') || 1),
    modality: modalityOf(dataSet, groups, signed),
    windows: windowsOf(holder(dataSet, groups, 'x00281050')),
    voiTables: tablesOf(dataSet, 'x00283010', signed),
    ...(padding ? { padding } : {}),
    ...(device ? { device } : {}),
    ...(viewPosition ? { viewPosition } : {}),
    ...(patientOrientation ? { patientOrientation } : {}),
    ...(laterality ? { laterality } : {}),
  };
}

const tagName = (tag: string): string => `${tag.slice(1, 5)},${tag.slice(5)}`;

function itemsOf(dataSet: DataSet, tag: string): DataSet[] {
  const items = dataSet.elements[tag]?.items ?? [];
  return items.flatMap((item: Element) => (item.dataSet ? [item.dataSet] : []));
}

/** Enhanced multi-frame files keep these attributes in sequences: shared ones, and those of the first frame. */
function functionalGroups(dataSet: DataSet): DataSet[] {
  const groups = [itemsOf(dataSet, 'x52009229')[0], itemsOf(dataSet, 'x52009230')[0]];
  return groups.flatMap((group) => (group ? [...itemsOf(group, 'x00289132'), ...itemsOf(group, 'x00289145')] : []));
}

function holder(dataSet: DataSet, groups: readonly DataSet[], tag: string): DataSet {
  return [dataSet, ...groups].find((candidate) => candidate.elements[tag]) ?? dataSet;
}

function modalityOf(dataSet: DataSet, groups: readonly DataSet[], signed: boolean): DicomHeader['modality'] {
  const table = tablesOf(dataSet, 'x00283000', signed)[0];
  if (table) return table;
  const from = holder(dataSet, groups, 'x00281053');
  const [slope, intercept] = [from.floatString('x00281053'), from.floatString('x00281052')];
  return { slope: usable(slope) && slope !== 0 ? slope : 1, intercept: usable(intercept) ? intercept : 0 };
}

/** A number that arithmetic survives; a header can hold any. */
function usable(value: number | undefined): value is number {
  return value !== undefined && Math.abs(value) < 1e15;
}

/** Windows that no function can use (no number, no width) are left out, as if the file had none. */
function windowsOf(dataSet: DataSet): VoiWindow[] {
  const named = dataSet.string('x00281056')?.trim().toUpperCase();
  const name: VoiFunction = named === 'LINEAR_EXACT' || named === 'SIGMOID' ? named : 'LINEAR';
  const count = Math.min(dataSet.numStringValues('x00281050') ?? 0, dataSet.numStringValues('x00281051') ?? 0);
  const windows: VoiWindow[] = [];
  for (let i = 0; i < count; i++) {
    const [center, width] = [dataSet.floatString('x00281050', i), dataSet.floatString('x00281051', i)];
    const explanation = dataSet.string('x00281055', i)?.trim();
    if (!usable(center) || !usable(width)) continue;
    if (width < 1 && (width <= 0 || name === 'LINEAR')) continue;
    windows.push({ center, width, function: name, ...(explanation ? { explanation } : {}) });
  }
  return windows;
}

/** LUT Descriptor (0028,3002) is entries (0 means 65536), first value mapped and bits; LUT Data is (0028,3006). */
function tablesOf(dataSet: DataSet, sequence: string, signed: boolean): LookupTable[] {
  return itemsOf(dataSet, sequence).flatMap((item) => {
    const element = item.elements.x00283006;
    const [entries, bits] = [item.uint16('x00283002', 0), item.uint16('x00283002', 2)];
    const first = signed ? item.int16('x00283002', 1) : item.uint16('x00283002', 1);
    if (!element || entries === undefined || first === undefined || bits === undefined || bits < 1 || bits > 16)
      return [];
    const length = entries || 65536;
    const bytewise = element.length < length * 2;
    if (bytewise && (bits > 8 || element.length < length)) return [];
    const data = Uint16Array.from({ length }, (_, i) =>
      bytewise ? (item.byteArray[element.dataOffset + i] ?? 0) : (item.uint16('x00283006', i) ?? 0),
    );
    const explanation = item.string('x00283003')?.trim();
    return [{ first, bits, data, ...(explanation ? { explanation } : {}) }];
  });
}

function paddingOf(dataSet: DataSet, signed: boolean): readonly [number, number] | undefined {
  const read = (tag: string): number | undefined => (signed ? dataSet.int16(tag) : dataSet.uint16(tag));
  const value = read('x00280120');
  if (value === undefined) return undefined;
  const limit = read('x00280121') ?? value;
  return [Math.min(value, limit), Math.max(value, limit)];
}
