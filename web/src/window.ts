import type { DicomImage } from '../../src/io/dicom/decode.ts';
import { valueRange } from '../../src/io/dicom/voi.ts';
import { dicomWindow } from './state.ts';

/** What a DICOM image can be windowed between, and what is shown now; in units after the modality transform. */
export interface WindowRange {
  readonly low: number;
  readonly high: number;
  readonly center: number;
  readonly width: number;
}

/** Undefined for images without a linear scale of values. */
export function windowRange(dicom: DicomImage | undefined): WindowRange | undefined {
  if (!dicom || 'data' in dicom.modality || dicom.colour) return undefined;
  const { slope, intercept } = dicom.modality;
  const [first, last] = valueRange(dicom).map((value) => value * slope + intercept) as [number, number];
  const [low, high] = [Math.min(first, last), Math.max(first, last)];
  if (!(high - low > 2)) return undefined;
  const [own] = dicom.windows;
  const { center, width } = dicomWindow.value ?? own ?? { center: (low + high) / 2, width: high - low };
  return { low, high, center, width };
}

/** A drag over a picture: across widens the window, down raises its level. `dx` and `dy` as shares of the picture. */
export function dragWindow({ low, high, center, width }: WindowRange, dx: number, dy: number): void {
  const span = high - low;
  dicomWindow.value = {
    center: Math.min(high, Math.max(low, center + dy * span)),
    width: Math.min(2 * span, Math.max(2, width + dx * span)),
  };
}
