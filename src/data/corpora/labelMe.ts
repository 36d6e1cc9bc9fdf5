/** Outlines as the annotation tool LabelMe writes them, a file an image. */
import * as z from 'zod';
import type { Region } from '../region.ts';
import { checkJson } from './json.ts';

const labelMe = z.object({
  shapes: z.array(
    z.object({
      label: z.string(),
      points: z.array(z.tuple([z.number(), z.number()])),
      shape_type: z.string().nullish(),
    }),
  ),
  imageWidth: z.number().int().positive().max(65536).nullish(),
  imageHeight: z.number().int().positive().max(65536).nullish(),
});

/** Outlines of lungs are anatomy; all other labels name opacities. */
const isLung = (label: string): boolean => /lung\s*$/i.test(label.replaceAll('_', ' '));

/** All that is outlined but lungs; undefined where that is nothing. Throws DataError that names `source`. */
export function outlinedRegion(json: unknown, source: string): Region | undefined {
  const { shapes, imageWidth, imageHeight } = checkJson(json, labelMe, source);
  const polygons = shapes
    .filter(
      ({ label, points, shape_type: type }) => !isLung(label) && (type ?? 'polygon') === 'polygon' && points.length > 2,
    )
    .map(({ points }) => points);
  const frame = imageWidth && imageHeight ? { width: imageWidth, height: imageHeight } : {};
  return polygons.length > 0 ? { kind: 'polygons', polygons, ...frame } : undefined;
}
