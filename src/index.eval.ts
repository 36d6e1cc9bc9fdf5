/**
 * The public entry `groundray/eval`: localizers, their maps, overlays and the notice that every surface shows.
 * @module groundray/eval
 */

export { type Localization, type Localizer, similarityMap } from './eval/localizer.ts';
export { type Grid, gaussianBlur, type RescalePreset, rescale, resizeBilinear, type Size } from './eval/maps.ts';
export { type EncodedImage, ModelLocalizer, type ModelLocalizerOptions } from './eval/modelLocalizer.ts';
export { RESEARCH_NOTICE } from './eval/notice.ts';
export { COLOR_SCALES, type ColorScale, type OverlayOptions, type RgbaImage, renderOverlay } from './eval/overlay.ts';
export { bioVilLocalizer } from './eval/systems/bioVil.ts';
export { type Finding, parseFindings } from './eval/systems/findings.ts';
export { gloriaLocalizer } from './eval/systems/gloria.ts';
export type { GloriaMap } from './eval/systems/gloriaMaps.ts';
export { type MedKlipOptions, medKlipLocalizer } from './eval/systems/medKlip.ts';
